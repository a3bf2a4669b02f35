package main

import (
	"context"
	"errors"
	"net/netip"

	"github.com/seedserver/bittorrent/seedserver"
)

func (c *getCmd) findMagnet(ctx context.Context, s streams, client *seedserver.Client, peers []netip.AddrPort) (*find, error) {
	return nil, errors.New("magnet links: not yet")
}

func (c *getCmd) findURL(ctx context.Context, s streams, peers []netip.AddrPort) (*find, error) {
	return nil, errors.New("URLs: not yet")
}
