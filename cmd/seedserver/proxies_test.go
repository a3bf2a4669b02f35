package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writeCertificate writes a self-signed certificate for the namespace's addresses, and its key.
func writeCertificate(t *testing.T, cert, key, name string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.ParseIP(serverIP), net.ParseIP(proxyIP)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
}

// insecure returns a client that takes any certificate, calls from an address of the namespace, and follows no redirects.
func insecure(from string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DialContext: dialer.DialContext, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// webServer is one of those that people have in front, with our example of its configuration.
type webServer struct {
	name, program, pkg, example string
	// run returns what to run, given a directory of its own and the example with the addresses of the test.
	run func(t *testing.T, dir, example string) *exec.Cmd
}

var webServers = []webServer{
	{"nginx", "nginx", "nginx-light", "nginx.conf", func(t *testing.T, dir, example string) *exec.Cmd {
		conf := filepath.Join(dir, "nginx.conf")
		require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `daemon off; pid %[1]s/pid; error_log %[1]s/error.log; worker_processes 1; user root;
events {}
http {
access_log off;
client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
%[2]s
}`, dir, example), 0o644))
		return exec.Command("nginx", "-p", dir, "-c", conf)
	}},
	{"Apache", "apache2", "apache2", "apache.conf", func(t *testing.T, dir, example string) *exec.Cmd {
		conf := filepath.Join(dir, "apache.conf")
		modules := ""
		for _, name := range []string{"mpm_event", "authz_core", "socache_shmcb", "ssl", "proxy", "proxy_http", "headers"} {
			modules += "LoadModule " + name + "_module /usr/lib/apache2/modules/mod_" + name + ".so\n"
		}
		require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, "ServerRoot %[1]s\nPidFile %[1]s/pid\nDefaultRuntimeDir %[1]s\nErrorLog %[1]s/error.log\n"+
			"ServerName localhost\n%[2]sListen %[3]s:443\n%[4]s", dir, modules, proxyIP, example), 0o644))
		return exec.Command("apache2", "-X", "-f", conf)
	}},
	{"Caddy", "caddy", "caddy", "Caddyfile", func(t *testing.T, dir, example string) *exec.Cmd {
		conf := filepath.Join(dir, "Caddyfile")
		example = strings.Replace(example, "files.example.org {", "https://"+proxyIP+" {\n\ttls "+dir+"/cert.pem "+dir+"/key.pem", 1)
		require.NoError(t, os.WriteFile(conf, []byte("{\n\tadmin off\n\tauto_https disable_redirects\n}\n"+example), 0o644))
		cmd := exec.Command("caddy", "run", "--config", conf, "--adapter", "caddyfile")
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		return cmd
	}},
}

// TestProxyExamples runs each web server with our example of its configuration in front: files, torrents, announces and logins pass,
// and we learn who the client is, whatever it says itself.
func TestProxyExamples(t *testing.T) {
	t.Parallel()
	requireTool(t, "aria2c", "aria2")
	for _, w := range webServers {
		requireTool(t, w.program, w.pkg)
	}
	if !inNamespace(t) {
		return
	}
	for i, w := range webServers {
		t.Run(w.name, func(t *testing.T) { w.test(t, clientIP(i)) })
	}
}

func (w webServer) test(t *testing.T, from string) {
	dir, logs := t.TempDir(), t.TempDir()
	writeCertificate(t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), "files.example.org")
	example, err := os.ReadFile(filepath.Join("dist", w.example))
	require.NoError(t, err)
	cmd := w.run(t, dir, strings.NewReplacer(
		"/etc/ssl/certs/files.example.org.pem", dir+"/cert.pem", "/etc/ssl/private/files.example.org.key", dir+"/key.pem",
		"listen 443", "listen "+proxyIP+":443").Replace(string(example)))
	log := &logBuffer{}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = log, log, time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	users := filepath.Join(dir, "users")
	writeUsers(t, users, "alice:alice")
	base := "https://" + proxyIP
	s := newServer(t, "--url", base, "--http", "127.0.0.1:8080", "--advertise", serverIP+":6881", "--users", users,
		"--log-dir", logs, "--log-addresses", "full")
	s.base = "http://127.0.0.1:8080"
	s.put("a b%2F.bin", content(1, 2<<20))
	s.put("small.txt", []byte("small"))
	s.start()
	s.published("a b%2F.bin", 20*time.Second)
	s.published("small.txt", 20*time.Second)
	client := insecure(from)
	require.Eventually(t, func() bool {
		resp, err := client.Get(base + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	}, 15*time.Second, 50*time.Millisecond, "%s", log)

	out := t.TempDir()
	runClient(t, "aria2c", "--no-conf", "--dir="+out, "--interface="+from, "--listen-port=16882", "--enable-dht=false", "--bt-enable-lpd=false",
		"--seed-time=0", "--file-allocation=none", "--follow-torrent=mem", "--async-dns=false", "--disable-ipv6=true", "--check-certificate=false",
		base+"/"+escapePath("a b%2F.bin")+".torrent")
	requireSame(t, tree(t, s.dir)["a b%2F.bin"], filepath.Join(out, "a b%2F.bin"))

	// What a client says of itself is not believed.
	r, err := http.NewRequest(http.MethodGet, base+"/small.txt?spoofed", nil)
	require.NoError(t, err)
	r.Header.Set("X-Forwarded-For", "203.0.113.66")
	r.Header.Set("Forwarded", "for=203.0.113.66")
	resp, err := client.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	require.NoError(t, err)
	require.Equal(t, "small", string(body))
	s.eventually(10*time.Second, "the request's line in the log", func() bool {
		b, err := os.ReadFile(filepath.Join(logs, "access.log"))
		require.NoError(t, err)
		require.NotContains(t, string(b), "203.0.113.66")
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, "spoofed") {
				require.True(t, strings.HasPrefix(line, from+" "), line)
				return true
			}
		}
		return false
	})

	resp, err = client.PostForm(base+"/-/login", url.Values{"name": {"alice"}, "password": {"alice"}})
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	require.Contains(t, resp.Header.Get("Set-Cookie"), "; Secure")
}

// TestTLS: with a certificate of its own the server speaks HTTPS, to a client that announces too, and takes another certificate over
// without a restart.
func TestTLS(t *testing.T) {
	t.Parallel()
	requireTool(t, "aria2c", "aria2")
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, "first.example")
	s := newServer(t, "--tls-cert", cert, "--tls-key", key)
	s.put("a.bin", content(1, 1<<20))
	s.launch()
	base, client := "https://"+serverIP+":8080", insecure(clientIP(0))
	name := func() string {
		client.CloseIdleConnections()
		resp, err := client.Get(base + "/a.bin.torrent")
		if err != nil {
			return ""
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return ""
		}
		require.Equal(t, 2, resp.ProtoMajor)
		return resp.TLS.PeerCertificates[0].Subject.CommonName
	}
	s.eventually(20*time.Second, "the torrent over HTTPS", func() bool { return name() == "first.example" })
	require.Contains(t, s.log.String(), base)
	out := t.TempDir()
	runClient(t, "aria2c", "--no-conf", "--dir="+out, "--interface="+clientIP(0), "--listen-port=16882", "--enable-dht=false", "--bt-enable-lpd=false",
		"--seed-time=0", "--file-allocation=none", "--follow-torrent=mem", "--async-dns=false", "--disable-ipv6=true", "--check-certificate=false",
		base+"/a.bin.torrent")
	requireSame(t, tree(t, s.dir)["a.bin"], filepath.Join(out, "a.bin"))

	writeCertificate(t, cert, key, "second.example")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.eventually(10*time.Second, "the new certificate", func() bool { return name() == "second.example" })
	require.NoError(t, os.WriteFile(cert, []byte("junk"), 0o644))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.eventually(10*time.Second, "the refusal of a bad one", func() bool { return strings.Contains(s.log.String(), "refused") })
	require.Equal(t, "second.example", name())
}
