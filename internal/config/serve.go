package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// serve checks the keys of the server. Like secretName it never repeats the name
// of a secret: it may be the secret itself.
func (d *decoder) serve(s *Serve) {
	d.listen("serve.listen", s.Listen, "127.0.0.1:8080")
	d.dashboard(s.Dashboard)
	if _, ok := d.at["serve.webhook_secrets"]; ok && len(s.WebhookSecrets) == 0 {
		d.failAt("serve.webhook_secrets", "", "webhook_secrets is empty; leave it out when there are no webhooks")
	}
	for i, name := range s.WebhookSecrets {
		if tokenLike.MatchString(name) || !variableName.MatchString(name) {
			d.failAt(index("serve.webhook_secrets", i), "", "webhook_secrets are the names of environment variables, such as SHELFLIFE_WEBHOOK_SECRET; replace the secret if this is one")
		}
	}
	for i, login := range s.Self {
		if login == "" {
			d.failAt(index("serve.self", i), "", "the login is empty; write such as my-app[bot]")
		}
	}
}

// listen checks an address to listen on; "" is the default.
func (d *decoder) listen(path, address, such string) {
	if address == "" {
		return
	}
	_, port, err := net.SplitHostPort(address)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		d.failAt(path, "", "%s is not an address to listen on; write such as %s", quote(address), such)
	}
}

func (d *decoder) dashboard(b Dashboard) {
	d.listen("serve.dashboard.listen", b.Listen, "127.0.0.1:8081")
	if b.URL != "" {
		u, err := url.Parse(b.URL)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			d.failAt("serve.dashboard.url", "", "the url is scheme and host only; write such as https://shelflife.example.com")
		}
	}
	if b.Token != "" && (tokenLike.MatchString(b.Token) || !variableName.MatchString(b.Token)) {
		d.failAt("serve.dashboard.token", "", "token is the name of an environment variable, such as SHELFLIFE_DASHBOARD_TOKEN; replace the token if this is one")
	}
}
