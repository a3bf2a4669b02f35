package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/seedserver"
)

// adminFlags say which running server is asked.
type adminFlags struct {
	Admin string `env:"-" help:"Address of the status pages, if it is not found by itself: http://HOST:PORT/, with USER:PASSWORD@ before HOST if needed." placeholder:"URL"`
	State string `help:"The server's state directory, if it was given one." type:"path" placeholder:"DIR"`
}

// adminClient asks a running server for its status.
type adminClient struct{ base *url.URL }

// client finds the server that publishes dir; dir may be empty when only one runs.
func (f *adminFlags) client(dir string) (*adminClient, error) {
	if f.Admin != "" {
		return newAdminClient(f.Admin)
	}
	state := f.State
	if state == "" && dir != "" {
		var err error
		if state, err = seedserver.DefaultState(dir); err != nil {
			return nil, err
		}
	}
	if state == "" {
		return newAdminClient(seedserver.DefaultAdmin)
	}
	found, err := seedserver.FindAdmin(state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no server with status pages runs with the state directory %s; say --state or --admin if it is another", state)
	}
	if err != nil {
		return nil, err
	}
	return newAdminClient(found)
}

func newAdminClient(address string) (*adminClient, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usageError{fmt.Sprintf("admin %q: give an address such as http://%s/", address, seedserver.DefaultAdmin)}
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return &adminClient{u}, nil
}

// maxAnswer bounds an answer, in bytes; a torrent in a table takes some 300.
const maxAnswer = 256 << 20

// errNoTorrent says that the server has no such torrent.
var errNoTorrent = errors.New("no such torrent")

// get asks for a path below /api/v1/ and returns the JSON.
func (c *adminClient) get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath("api/v1", path).String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("no server answers at %s: %w", c.base.Redacted(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusOK:
		return body, nil
	case resp.StatusCode == http.StatusNotFound:
		return nil, errNoTorrent
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, fmt.Errorf("%s asks for a password: give it as in --admin http://USER:PASSWORD@%s/", c.base.Redacted(), c.base.Host)
	}
	return nil, fmt.Errorf("%s says %s: %s", c.base.Redacted(), resp.Status, printable(strings.TrimSpace(string(body[:min(len(body), 200)]))))
}

// ask gets a path and reads the JSON into v.
func (c *adminClient) ask(ctx context.Context, path string, v any) error {
	body, err := c.get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s does not answer as a seedserver does: %w", c.base.Redacted(), err)
	}
	return nil
}
