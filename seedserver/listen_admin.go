package seedserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seedserver/bittorrent/seedserver/web/admin"
)

// DefaultAdmin is where the status pages are unless something else is said; when its port is taken, at the next free one.
const DefaultAdmin = "127.0.0.1:8081"

const lastAdminPort = 8089

// checkAdmin reports what cannot work about the status pages.
func (c *Config) checkAdmin() error {
	if c.AdminAuth != "" {
		if err := admin.CheckAuth(c.AdminAuth); err != nil {
			return fmt.Errorf("admin-auth: %w", err)
		}
	}
	if !c.hasAdmin() {
		return nil
	}
	host, port, err := net.SplitHostPort(c.Admin)
	if err != nil {
		return fmt.Errorf("admin %q: give HOST:PORT, for example %s, or %s", c.Admin, DefaultAdmin, AdminOff)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("admin %q: the port must be a number up to 65535", c.Admin)
	}
	if c.AdminAuth == "" && !isLoopback(host) {
		return fmt.Errorf("admin %q can be reached from other machines: say who may look with admin-auth, or use %s", c.Admin, DefaultAdmin)
	}
	return nil
}

func (c *Config) hasAdmin() bool { return c.Admin != "" && c.Admin != AdminOff }

// isLoopback reports whether only this machine reaches host. A name other than localhost may mean anything.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// newAdmin makes what answers on the admin listener.
func (s *Server) newAdmin() (err error) {
	s.adminToken = rand.Text()
	var metrics []prometheus.Collector
	if s.peers != nil {
		metrics = append(metrics, &trackerMetrics{s.peers, s.pace, &s.counted, s.packets})
	}
	s.admin, err = admin.New(admin.Config{
		Source: newStatusSource(s), Classes: adminClasses(), Version: s.cfg.version(), Hosts: s.cfg.AdminHosts, Auth: s.cfg.AdminAuth,
		Token: s.adminToken, Metrics: metrics, Profiles: s.cfg.Profiles, Logger: s.log,
	})
	return err
}

// listenAdmin opens the admin listener: at Config.Admin, or, unless it must be there exactly, at the next port up to 8089 when that
// one is taken. Without a free one among those the server does without: files are served all the same.
func (s *Server) listenAdmin(ctx context.Context) (err error) {
	if !s.cfg.hasAdmin() {
		return s.forgetAdmin()
	}
	host, portText, _ := net.SplitHostPort(s.cfg.Admin) // Check has read it
	port, _ := strconv.ParseUint(portText, 10, 16)
	var lc net.ListenConfig
	for p := port; ; p++ {
		s.adminAt, err = lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.FormatUint(p, 10)))
		if err == nil {
			return s.opened()
		}
		taken := errors.Is(err, syscall.EADDRINUSE)
		switch {
		case taken && s.cfg.AdminExact:
			return fmt.Errorf("%s is taken by another program; choose another address with --admin, for example --admin 127.0.0.1:8091, or --admin off", s.cfg.Admin)
		case s.cfg.AdminExact:
			return fmt.Errorf("opening --admin %s: %w", s.cfg.Admin, err)
		case !taken || p >= lastAdminPort || port == 0:
			s.log.Warn("there are no status pages: their address cannot be had; choose another with --admin", "addr", s.cfg.Admin, "err", err)
			return s.forgetAdmin()
		}
	}
}

// opened checks once more that strangers do not get in, since a name may have meant another address than it seemed.
func (s *Server) opened() error {
	if bound := boundAddr(s.adminAt); s.cfg.AdminAuth == "" && !bound.Addr().IsLoopback() {
		return fmt.Errorf("--admin %s means %v, which other machines can reach: say who may look with --admin-auth", s.cfg.Admin, bound)
	}
	return s.rememberAdmin()
}

// AdminURL is where the status pages are, "" when there are none or before Listen.
func (s *Server) AdminURL() string {
	if s.adminAt == nil {
		return ""
	}
	bound := boundAddr(s.adminAt)
	if bound.Addr().IsUnspecified() {
		bound = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), bound.Port())
	}
	return "http://" + bound.String() + "/"
}

// adminFile is the file in the state directory that tells commands on this machine where the status pages are, and opens them.
const adminFile = "admin"

// rememberAdmin writes the file. It holds a password when one is needed, so only our user may read it.
func (s *Server) rememberAdmin() error {
	u, err := url.Parse(s.AdminURL())
	if err != nil {
		return err
	}
	if s.cfg.AdminAuth != "" {
		u.User = url.UserPassword("local", s.adminToken)
	}
	path := filepath.Join(s.cfg.State, adminFile)
	os.Remove(path) // one of another mode would keep it
	if err := os.WriteFile(path, []byte(u.String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing where the status pages are: %w", err)
	}
	return nil
}

// forgetAdmin removes the file.
func (s *Server) forgetAdmin() error {
	err := os.Remove(filepath.Join(s.cfg.State, adminFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// FindAdmin returns the URL of the status pages of the server whose state directory is given, with the password if there is one.
// The error matches os.ErrNotExist when no server runs there.
func FindAdmin(state string) (string, error) {
	b, err := os.ReadFile(filepath.Join(state, adminFile))
	if err != nil {
		return "", err
	}
	u, err := url.Parse(strings.TrimSpace(string(b)))
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%s: not an address", filepath.Join(state, adminFile))
	}
	return u.String(), nil
}
