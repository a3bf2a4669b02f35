package seedserver

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
)

// certificate is the one of the public listener, from the files of Config. It can be replaced while it is in use.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// newCertificate reads the files; it returns nil if cfg names none.
func newCertificate(cfg *Config) (*certificate, error) {
	if cfg.TLSCert == "" && cfg.TLSKey == "" {
		return nil, nil
	}
	c := &certificate{}
	return c, c.read(cfg)
}

// read takes the files of cfg over. If they cannot be used, what was there stays.
func (c *certificate) read(cfg *Config) error {
	if c == nil || cfg.TLSCert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return fmt.Errorf("reading --tls-cert %s and --tls-key %s: %w", cfg.TLSCert, cfg.TLSKey, err)
	}
	c.current.Store(&pair)
	return nil
}

// wrap returns a listener that speaks TLS, HTTP/2 or HTTP/1.1 inside, on l; l itself without a certificate.
func (c *certificate) wrap(l net.Listener) net.Listener {
	if c == nil {
		return l
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	})
}

// scheme is that of the public listener's URLs.
func (c *certificate) scheme() string {
	if c == nil {
		return "http"
	}
	return "https"
}
