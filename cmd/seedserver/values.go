package main

import (
	"fmt"
	"net/url"
)

// onOff is a switch that reads as what it does.
type onOff bool

// UnmarshalText is part of encoding.TextUnmarshaler.
func (o *onOff) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on", "true", "yes":
		*o = true
	case "off", "false", "no":
		*o = false
	default:
		return fmt.Errorf("%q: say on or off", text)
	}
	return nil
}

func (o onOff) String() string {
	if o {
		return "on"
	}
	return "off"
}

// isURL reports whether u can stand in a torrent as a tracker or web seed.
func isURL(u string) bool {
	p, err := url.Parse(u)
	return err == nil && p.Scheme != "" && p.Host != ""
}
