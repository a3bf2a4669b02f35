package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"
)

// checkConfig is the command that has the settings of serve, and only prints them.
const checkConfig = "check-config"

// configFile resolves flags from a TOML file whose keys are the long names of serve's flags.
type configFile struct {
	path   string
	values map[string]any
}

// configPath finds --config before the command line is parsed, since the file takes part in the parsing.
func configPath(args []string) (string, error) {
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v, nil
		}
		if a == "--config" {
			if i+1 == len(args) {
				return "", errors.New("--config needs a file")
			}
			return args[i+1], nil
		}
	}
	return os.Getenv("SEEDSERVER_CONFIG"), nil
}

// readConfigFile reads path and refuses keys that are not flags of serve, naming what was probably meant.
func readConfigFile(path string, model *kong.Application) (*configFile, error) {
	c := &configFile{path: path}
	if _, err := toml.DecodeFile(path, &c.values); err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%s: line %d: %s", path, syntax.Position.Line, syntax.Message)
		}
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	known := serveFlags(model)
	for key := range c.values {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("%s: unknown key %q; known are %s", path, key, strings.Join(known, ", "))
		}
	}
	return c, nil
}

// serveFlags lists the long names of serve's flags, sorted.
func serveFlags(model *kong.Application) []string {
	var names []string
	for _, node := range model.Children {
		if node.Name != "serve" {
			continue
		}
		for _, f := range node.Flags {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Validate is part of kong.Resolver; readConfigFile has checked the keys.
func (c *configFile) Validate(*kong.Application) error { return nil }

// Resolve gives a flag its value from the file, unless the environment has one.
func (c *configFile) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if parent.Command == nil || parent.Command.Name != "serve" && parent.Command.Name != checkConfig {
		return nil, nil
	}
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	v, ok := c.values[flag.Name]
	if !ok || v == "" {
		return nil, nil
	}
	if list, ok := v.([]any); ok {
		parts := make([]any, len(list)) // not one text: there may be commas in them
		for i, item := range list {
			parts[i] = fmt.Sprint(item)
		}
		return parts, nil
	}
	return fmt.Sprint(v), nil
}
