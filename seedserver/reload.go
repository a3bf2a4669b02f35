package seedserver

import "slices"

// Reload takes over those settings of cfg that can change while running: upload limits, users, the certificate. It says which of the
// others differ and need a restart.
func (s *Server) Reload(cfg Config) error {
	if err := cfg.Check(); err != nil {
		return err
	}
	if err := s.gate.guard.Reload(); err != nil {
		return err
	}
	if err := s.cert.read(&cfg); err != nil {
		return err
	}
	if state, err := realPath(cfg.State); err == nil && cfg.State != "" {
		cfg.State = state // as New keeps it
	}
	s.limit.SetRate(cfg.MaxUp)
	s.torrents.setRate(cfg.MaxUpTorrent)
	for _, name := range s.cfg.needRestart(&cfg) {
		s.log.Warn("this setting takes effect with the next start", "setting", name)
	}
	return nil
}

// needRestart names the settings in which c and next differ and that Reload cannot change.
func (c *Config) needRestart(next *Config) []string {
	differs := map[string]bool{
		"dir":               c.Dir != next.Dir,
		"http":              c.HTTP != next.HTTP,
		"peer":              c.Peer != next.Peer,
		"state":             next.State != "" && c.State != next.State,
		"url":               c.URL != next.URL,
		"advertise":         !slices.Equal(c.Advertise, next.Advertise),
		"trusted-proxy":     !slices.Equal(c.TrustedProxies, next.TrustedProxies),
		"private":           c.Private != next.Private,
		"users":             c.UsersFile != next.UsersFile,
		"proxy-header":      c.ProxyHeader != next.ProxyHeader,
		"tls-cert":          (c.TLSCert == "") != (next.TLSCert == ""),
		"budget":            c.Budget != next.Budget,
		"budget-day":        c.budgetDay() != next.budgetDay(),
		"web-seed":          c.WebSeed != next.WebSeed,
		"mode":              c.Mode != next.Mode,
		"max-peers":         c.MaxPeers != next.MaxPeers,
		"upload-slots":      c.UploadSlots != next.UploadSlots,
		"piece-length":      c.PieceLength != next.PieceLength,
		"unit":              !slices.Equal(c.Units, next.Units),
		"poll":              c.Poll != next.Poll,
		"rescan":            c.Rescan != next.Rescan,
		"settle":            c.SettleWrite != next.SettleWrite || c.SettleRename != next.SettleRename,
		"settle-blind":      c.SettleBlind != next.SettleBlind,
		"plain-below":       c.PlainBelow != next.PlainBelow,
		"large":             c.Large != next.Large,
		"lsd":               c.LSD != next.LSD,
		"dht-router":        c.NoDHT != next.NoDHT || !slices.Equal(c.DHTRouters, next.DHTRouters),
		"tracker":           c.NoTracker != next.NoTracker,
		"admin":             c.Admin != next.Admin,
		"admin-host":        !slices.Equal(c.AdminHosts, next.AdminHosts),
		"admin-auth":        c.AdminAuth != next.AdminAuth,
		"pprof":             c.Profiles != next.Profiles,
		"log-dir":           c.LogDir != next.LogDir || (c.AccessLog == nil) != (next.AccessLog == nil),
		"log-addresses":     c.LogAddresses != next.LogAddresses,
		"announce-interval": c.AnnounceInterval != next.AnnounceInterval,
	}
	var names []string
	for name, yes := range differs {
		if yes {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
