package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// loginPath is where people say who they are. It alone asks: every other
// address answers who may not see what is there as if there were nothing.
const loginPath = "/-/login"

const (
	maxLogin = 8 << 10 // bytes of a form
	realm    = `Basic realm="files", charset="UTF-8"`
)

// loginPage is what the template of the login shows.
type loginPage struct {
	shell
	Heading, Advice string
}

// serveLogin answers a GET of /-/login with the form, and with 401 whoever
// cannot show one, so that a program may send a name and a password; a POST with
// the cookie of a session.
func (x *exchange) serveLogin() {
	x.dir = "-"
	x.w.Header().Set("Cache-Control", "no-store")
	switch x.r.Method {
	case http.MethodGet, http.MethodHead:
		x.askWho()
	case http.MethodPost:
		x.login()
	default:
		x.w.Header().Set("Allow", "GET, HEAD, POST")
		x.problem(http.StatusMethodNotAllowed, "This is where you sign in", "Use GET or POST.")
	}
}

func (x *exchange) askWho() {
	if x.accept.choose(typeText, typeHTML) == typeHTML {
		if x.viewer != "" {
			x.loginPage(http.StatusOK, "You are signed in", "What you may see is in the list of files.")
		} else {
			x.loginPage(http.StatusOK, "Sign in", "Then you also see the files that are not for everybody.")
		}
		return
	}
	if x.viewer != "" {
		x.text(http.StatusOK, "You are "+visible(x.viewer)+".\n")
		return
	}
	x.w.Header().Set("WWW-Authenticate", realm)
	x.text(http.StatusUnauthorized, "Send a name and a password, or a bearer key, with each request.\n")
}

// login takes a form. One that another site makes a browser send is refused: it
// would sign somebody in as somebody else.
func (x *exchange) login() {
	if !x.sameOrigin() {
		x.problem(http.StatusForbidden, "This form is not ours", "Open the login and type your name and password there.")
		return
	}
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, maxLogin)
	if err := x.r.ParseForm(); err != nil {
		x.problem(http.StatusBadRequest, "That is not a form", "Open the login and type your name and password there.")
		return
	}
	form := x.r.PostForm
	if form.Has("sign-out") && x.cfg.SignOut != nil {
		http.SetCookie(x.w, x.cfg.SignOut)
		x.seeOther()
		return
	}
	cookie, wait := x.cfg.SignIn(x.r, form.Get("name"), form.Get("password"))
	switch {
	case wait > 0:
		x.w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		x.loginPage(http.StatusTooManyRequests, "Too many wrong passwords",
			fmt.Sprintf("Try again in %d seconds.", int(wait/time.Second)+1))
	case cookie == nil:
		x.viewer = ""
		x.loginPage(http.StatusForbidden, "That is not right", "The name or the password is wrong.")
	default:
		http.SetCookie(x.w, cookie)
		x.seeOther()
	}
}

// sameOrigin reports whether a form was sent by a page of ours, as far as the
// browser tells. Programs send neither header.
func (x *exchange) sameOrigin() bool {
	if site := x.r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	origin := x.r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	ours, ourErr := url.Parse(x.via.URL)
	return err == nil && ourErr == nil && (u.Host == x.r.Host || u.Host == ours.Host)
}

// seeOther sends the browser to the root.
func (x *exchange) seeOther() {
	x.w.Header().Set("Location", x.root)
	x.text(http.StatusSeeOther, "It is at "+x.root+"\n")
}

func (x *exchange) loginPage(status int, heading, advice string) {
	page := loginPage{shell: x.shell("Sign in", ""), Heading: heading, Advice: advice}
	page.Crumbs[0].Href = x.root
	page.Crumbs = append(page.Crumbs, crumb{Name: "Sign in"})
	x.page(status, "login.html", page)
}
