package main

import (
	"errors"
	"reflect"

	"github.com/alecthomas/kong"
)

// decodePath reads paths: it makes them absolute, with "~" and symbolic links as they are typed. An empty one, such as a variable that
// is not set, stays empty: kong's own takes it for the present directory, which would be published. "-" stays, too.
func decodePath(ctx *kong.DecodeContext, target reflect.Value) error {
	if target.Kind() != reflect.Slice {
		var path string
		if err := ctx.Scan.PopValueInto("path", &path); err != nil {
			return err
		}
		if path != "" && path != "-" {
			path = kong.ExpandPath(path)
		}
		target.SetString(path)
		return nil
	}
	for _, token := range ctx.Scan.PopWhile(func(t kong.Token) bool { return t.IsValue() }) {
		path := token.String()
		if path == "" {
			return errors.New("a path is empty: a variable that is not set?")
		}
		target.Set(reflect.Append(target, reflect.ValueOf(kong.ExpandPath(path))))
	}
	return nil
}
