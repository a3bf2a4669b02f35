package seedserver

import (
	"net/http"
	"time"
)

// bodyTime is how long a request may take to send its body. The only one that is read is a form of a name and a password.
const bodyTime = 10 * time.Second

// promptBodies returns a handler that answers as next does. Who has promised a body and does not send it is not waited for: not by
// whoever reads it, and not by net/http, which reads what was not read before the next request.
func promptBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // until the next request begins
		}
		next.ServeHTTP(w, r)
	})
}
