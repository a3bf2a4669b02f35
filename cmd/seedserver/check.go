package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// checkCmd reads the settings of the command line, the environment and the configuration file as serve would.
type checkCmd struct {
	Dir string `arg:"" optional:"" default:"." help:"The directory that would be published." type:"path"`

	settings
}

func (c *checkCmd) Run(s streams, kctx *kong.Context) error {
	if _, err := c.config(s, c.Dir); err != nil {
		return err
	}
	return printSettings(s, kctx.Model)
}

// printSettings lists every setting of check-config, which are those of serve, as a configuration file would hold it.
func printSettings(s streams, model *kong.Application) error {
	for _, node := range model.Children {
		if node.Name != checkConfig {
			continue
		}
		for _, flag := range node.Flags {
			if _, err := fmt.Fprintf(s.out, "%s = %s\n", flag.Name, tomlValue(flag.Target)); err != nil {
				return err
			}
		}
	}
	return nil
}

// tomlValue writes a flag's value as TOML: numbers and switches bare, lists in brackets, all else quoted.
func tomlValue(v reflect.Value) string {
	if text, ok := v.Interface().(fmt.Stringer); ok {
		return strconv.Quote(text.String())
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int:
		return fmt.Sprint(v.Interface())
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = tomlValue(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	default:
		return strconv.Quote(v.String())
	}
}
