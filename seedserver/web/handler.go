package web

import "net/http"

// Handler answers requests from a [Source]. It may be used by many goroutines
// at once.
type Handler struct {
	cfg Config
}

// New returns a Handler. It panics if cfg.Source is nil.
func New(cfg Config) *Handler {
	if cfg.Source == nil {
		panic("web: Config.Source is nil")
	}
	return &Handler{cfg: cfg}
}

// ServeHTTP answers one request as the package documentation says.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.NotFound(w, r)
}
