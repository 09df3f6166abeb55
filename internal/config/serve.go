package config

import (
	"net"
	"strconv"
)

// serve checks the keys of the server. Like secretName it never repeats the name
// of a secret: it may be the secret itself.
func (d *decoder) serve(s *Serve) {
	if s.Listen != "" {
		_, port, err := net.SplitHostPort(s.Listen)
		if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
			d.failAt("serve.listen", "", "%s is not an address to listen on; write such as 127.0.0.1:8080", quote(s.Listen))
		}
	}
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
