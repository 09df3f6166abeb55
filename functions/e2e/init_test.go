package e2e

import (
	"net"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/lambdatest"
)

func TestMissingConfigurationFailsAtInitByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{})
	for _, tc := range []struct {
		f         *lambdatest.Function
		env       []string
		variables string
	}{
		{w.enforcer, w.enforcerEnv, "SHELFLIFE_TABLE SHELFLIFE_BUCKET SHELFLIFE_QUEUE_URL SHELFLIFE_APP_ID SHELFLIFE_APP_KEY_ID SHELFLIFE_SEAL_KEY_ID AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"},
		{w.webhook, w.webhookEnv, "SHELFLIFE_TABLE SHELFLIFE_QUEUE_URL SHELFLIFE_WEBHOOK_SECRET AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"},
	} {
		for name := range strings.FieldsSeq(tc.variables) {
			t.Run(tc.f.Name+" without "+name, func(t *testing.T) {
				f := lambdatest.New(t, lambdatest.Config{Name: tc.f.Name, Bootstrap: tc.f.Bootstrap, Env: replaced(tc.env, name, ""), Log: &lambdatest.Log{}})
				out, err := f.Invoke(t.Context(), []byte(`{"kind":"tick"}`))
				if err == nil || len(f.Inits()) != 0 {
					t.Errorf("it answers %s", out)
				}
				if len(f.Log.Matching(name)) == 0 && !strings.Contains(err.Error(), name) {
					t.Errorf("%v: neither that nor the log names %s:\n%s", err, name, f.Log.Tail(10))
				}
				passed(t)
			})
		}
	}
}

// The init of both functions asks nobody: it succeeds where nobody answers.
func TestInitMakesNoCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	asked := make(chan struct{}, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked <- struct{}{}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	for _, f := range []*lambdatest.Function{w.enforcer, w.webhook} {
		env := f.Env
		for _, name := range []string{"AWS_ENDPOINT_URL", "GITHUB_API_URL", "SHELFLIFE_REGISTRY_URL"} {
			env = replaced(env, name, name+"=http://"+l.Addr().String())
		}
		g := lambdatest.New(t, lambdatest.Config{Name: f.Name, Bootstrap: f.Bootstrap, Env: env, Log: &lambdatest.Log{}})
		w.must(g.Start(t.Context()))
		diff(t, "sandboxes of "+f.Name+" that are ready", 1, len(g.Inits()))
		diff(t, "calls of "+f.Name, 0, len(asked))
	}
	passed(t)
}
