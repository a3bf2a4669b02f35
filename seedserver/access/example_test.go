package access_test

import (
	"fmt"

	"github.com/seedserver/bittorrent/seedserver/access"
)

// A directory is for all users, one in it for alice alone; that it says "public" there widens nothing.
func Example() {
	outer, _ := access.Parse(map[string]any{"public": false})
	inner, _ := access.Parse(map[string]any{"users": []any{"alice"}})
	open, _ := access.Parse(map[string]any{"public": true})
	rules := access.Rules{outer, inner, open}
	for _, v := range []access.Viewer{{}, access.User("alice"), access.User("bob")} {
		fmt.Printf("%q %v\n", v.Name(), rules.Allow(v))
	}
	_, err := access.Parse(map[string]any{"user": []any{"alice"}})
	fmt.Println(err)
	// Output:
	// "" false
	// "alice" true
	// "bob" false
	// access: user is not known: there are public, listed, users and keys
}
