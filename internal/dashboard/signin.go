package dashboard

import (
	"math"
	"net"
	"net/http"
	"strconv"
)

// cookieName is the cookie that bears a session's id.
const cookieName = "shelflife_session"

// pageHandler answers one who has signed in.
type pageHandler func(w http.ResponseWriter, r *http.Request, s session)

// signedIn lets those through who have a session, and shows others the way in.
func (d *Dashboard) signedIn(next pageHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie(cookieName); err == nil {
			if s, ok := d.gate.find(c.Value); ok {
				next(w, r, s)
				return
			}
		}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			http.Redirect(w, r, Prefix+"login", http.StatusSeeOther)
			return
		}
		d.show(w, r, http.StatusUnauthorized, "login", loginData{Wrong: "The session is over, and nothing was done. Sign in and try again."})
	})
}

// ownForm lets only those forms through that bear their session's token.
func (d *Dashboard) ownForm(next pageHandler) pageHandler {
	return func(w http.ResponseWriter, r *http.Request, s session) {
		if !s.form.Equal(formToken(r)) {
			d.cfg.Log.WarnContext(r.Context(), "dashboard: a form without its session's token was refused", "path", r.URL.Path)
			d.fail(w, r, s, http.StatusForbidden, "This form is not of your session, and nothing was done. Go back, load the page again, and try once more.")
			return
		}
		next(w, r, s)
	}
}

type loginData struct {
	Given string // by the printed address
	Wrong string
}

// loginPage shows the form. The printed address fills it in; only sending it
// signs in.
func (d *Dashboard) loginPage(w http.ResponseWriter, r *http.Request) {
	d.show(w, r, http.StatusOK, "login", loginData{Given: r.URL.Query().Get("code")})
}

func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	id, wait, ok := d.gate.enter(r.PostFormValue("token"), from)
	switch {
	case wait > 0:
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		d.show(w, r, http.StatusTooManyRequests, "login", loginData{Wrong: "Too many wrong tokens. Wait " + strconv.Itoa(seconds) + " seconds and try again."})
		return
	case !ok:
		d.cfg.Log.WarnContext(r.Context(), "dashboard: a wrong token", "from", from)
		d.show(w, r, http.StatusUnauthorized, "login", loginData{Wrong: "That is not the token. It is in the file dashboard.token beside the state file; an address that the server printed works once, for a quarter of an hour."})
		return
	}
	d.cfg.Log.InfoContext(r.Context(), "dashboard: signed in", "from", from)
	http.SetCookie(w, d.cookie(id, int(sessionLife.Seconds())))
	http.Redirect(w, r, Prefix, http.StatusSeeOther)
}

func (d *Dashboard) logout(w http.ResponseWriter, r *http.Request, _ session) {
	if c, err := r.Cookie(cookieName); err == nil {
		d.gate.leave(c.Value)
	}
	http.SetCookie(w, d.cookie("", -1))
	http.Redirect(w, r, Prefix+"login", http.StatusSeeOther)
}

func (d *Dashboard) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: Prefix, MaxAge: age, HttpOnly: true, Secure: d.cfg.Secure, SameSite: http.SameSiteStrictMode,
	}
}
