package dashboard

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

// pagePolicy allows the pages their own style and forms, and nothing else.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// maxForm is more than any form here has, in bytes.
const maxForm = 64 << 10

// secured stands before everything: the right Host (a page of another site whose
// name was made to point here has the wrong one), no POST from another origin,
// headers that hold for every answer, and no large bodies.
func secured(hosts []string, next http.Handler, log *slog.Logger) http.Handler {
	refused := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.WarnContext(r.Context(), "dashboard: a request from another origin was refused", "origin", r.Header.Get("Origin"), "path", r.URL.Path)
		http.Error(w, "This request does not come from the dashboard's own pages. Open the dashboard itself and try there.", http.StatusForbidden)
	})
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(refused)
	inner := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		if !slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, r.Host) }) {
			http.Error(w, "The dashboard is not reached by this name. Use the address that shelflife serve printed, or set serve.dashboard.url.", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		inner.ServeHTTP(w, r)
	})
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// A form's Origin header is "null" under no-referrer, which looks like another origin.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
}
