package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Viewer is who asks. The zero value is anybody. Viewers can be compared.
type Viewer struct {
	user string
	key  [sha256.Size]byte // of a bearer key
}

// User returns the user of that name.
func User(name string) Viewer { return Viewer{user: name} }

// minBearer is how many characters a bearer key has at least: shorter ones could be guessed.
const minBearer = 20

// Bearer returns the holder of a bearer key; anybody if it is too short to be one.
func Bearer(key string) Viewer {
	if len(key) < minBearer {
		return Viewer{}
	}
	return Viewer{key: sha256.Sum256([]byte(key))}
}

// Anybody reports whether nothing is known of v.
func (v Viewer) Anybody() bool { return v == Viewer{} }

// Name returns the name of a user, the start of the hash of a key, "" for anybody.
func (v Viewer) Name() string {
	switch {
	case v.Anybody():
		return ""
	case v.user != "":
		return v.user
	}
	return "key " + hex.EncodeToString(v.key[:4])
}

// Rule is what one directory says about itself and all below it. The zero value lets everybody see everything.
type Rule struct {
	// Unlisted says that it is not shown in lists; who knows the address can see it.
	Unlisted bool
	// Private says that only those below may see it: everybody if it is false.
	Private bool
	// Users says that all users may. Viewers are those who may otherwise.
	Users   bool
	Viewers []Viewer
}

// Closed is the rule that lets nobody in.
var Closed = Rule{Unlisted: true, Private: true}

const (
	maxViewers = 10_000
	keyPrefix  = "sha256:"
)

// Parse reads the value of the key "access" of a .seedserver.toml:
//
//	[access]
//	public = false             # any user; the default is true unless users or keys are given
//	users  = ["alice", "bob"]  # these users, by their names in the htpasswd file
//	keys   = ["sha256:..."]    # who sends "Authorization: Bearer KEY" with this SHA-256, in hex
//	listed = false             # not in lists, search and feeds
//
// access = false lets nobody in. With an error comes the rule Closed: who meant to restrict something does not open it by a typing
// error.
func Parse(value any) (Rule, error) {
	if on, ok := value.(bool); ok && !on {
		return Closed, nil
	}
	table, ok := value.(map[string]any)
	if !ok {
		return Closed, errors.New("access is neither a table nor false")
	}
	r := Rule{}
	public, said := false, false
	for _, key := range slices.Sorted(maps.Keys(table)) {
		var err error
		switch value := table[key]; key {
		case "public":
			public, err = boolean(value)
			said = true
		case "listed":
			var listed bool
			listed, err = boolean(value)
			r.Unlisted = !listed
		case "users":
			err = r.read(value, user)
		case "keys":
			err = r.read(value, hashedKey)
		default:
			err = errors.New("is not known: there are public, listed, users and keys")
		}
		if err != nil {
			return Closed, fmt.Errorf("access: %s %w", key, err)
		}
	}
	switch {
	case public && r.Private:
		return Closed, errors.New("access: public = true and a list of who may see it exclude each other")
	case said && !public && !r.Private:
		r.Private, r.Users = true, true
	}
	return r, nil
}

func boolean(value any) (bool, error) {
	b, ok := value.(bool)
	if !ok {
		return false, errors.New("is neither true nor false")
	}
	return b, nil
}

// read adds the viewers that a list names.
func (r *Rule) read(value any, one func(string) (Viewer, error)) error {
	items, ok := value.([]any)
	if !ok {
		return errors.New("is not a list of strings")
	}
	if len(items) > maxViewers {
		return fmt.Errorf("has more than %d elements", maxViewers)
	}
	r.Private = true
	for _, item := range items {
		text, ok := item.(string)
		if !ok {
			return errors.New("is not a list of strings")
		}
		v, err := one(text)
		if err != nil {
			return err
		}
		r.Viewers = append(r.Viewers, v)
	}
	return nil
}

func user(name string) (Viewer, error) {
	if name == "" || strings.ContainsRune(name, ':') {
		return Viewer{}, fmt.Errorf("has %q, which cannot be a user's name", name)
	}
	return User(name), nil
}

func hashedKey(text string) (v Viewer, err error) {
	digits, ok := strings.CutPrefix(text, keyPrefix)
	sum, err := hex.DecodeString(digits)
	if !ok || err != nil || len(sum) != len(v.key) {
		return Viewer{}, errors.New(`has an element that is not "sha256:" and 64 hex digits; printf %s KEY | sha256sum prints them`)
	}
	copy(v.key[:], sum)
	return v, nil
}

// allows reports whether v may see what r is about.
func (r *Rule) allows(v Viewer) bool {
	return !r.Private || r.Users && v.user != "" || !v.Anybody() && slices.Contains(r.Viewers, v)
}

// Rules are those of all directories above a path, in any order.
type Rules []Rule

// Allow reports whether v may see the path: every rule lets it.
func (rs Rules) Allow(v Viewer) bool {
	for i := range rs {
		if !rs[i].allows(v) {
			return false
		}
	}
	return true
}

// Private reports whether some may not see the path.
func (rs Rules) Private() bool {
	return slices.ContainsFunc(rs, func(r Rule) bool { return r.Private })
}

// Unlisted reports whether the path, or a directory above it, is not shown in lists.
func (rs Rules) Unlisted() bool {
	return slices.ContainsFunc(rs, func(r Rule) bool { return r.Unlisted })
}
