package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// opened is a server that a test drives item by item, with a clock.
type opened struct {
	*served
	srv *server
	now time.Time
}

func (o *opened) bundle(revision string) {
	o.t.Helper()
	if code, _, errs := o.command("policy", "build", filepath.Join(o.dir, "policies"), "--out", filepath.Join(o.dir, "b.tar.gz"), "--revision", revision); code != exitDone {
		o.t.Fatalf("build: %d %s", code, errs)
	}
}

func newOpened(t *testing.T) *opened {
	t.Helper()
	o := &opened{served: newServed(t, "enforce"), now: time.Now()}
	o.logs = newWatched()
	path := filepath.Join(o.dir, "b.tar.gz")
	o.bundle("v1")
	o.write("shelflife.yaml", strings.NewReplacer("%s", "enforce", "path: ./policies", "bundle: "+path).Replace(serveConfig))
	a := &app{streams: streams{out: io.Discard, err: o.logs, getenv: func(k string) string { return o.env[k] }, dir: o.dir}}
	srv, err := a.openServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.close() })
	srv.now = func() time.Time { return o.now }
	o.srv = srv
	if srv.engine, err = srv.newEngine(t.Context(), srv.pauseSwitch()); err != nil {
		t.Fatal(err)
	}
	return o
}

// look publishes a tag and has the engine look at it.
func (o *opened) look(tag string) {
	o.t.Helper()
	o.publish("team/api", tag)
	p, _ := o.sim.State().Package("acme", retention.Container, "team/api")
	var item retention.WorkItem
	for _, v := range p.Versions {
		if v.Key == tag {
			trigger := retention.Trigger{Kind: retention.TriggerWebhook, Event: "package", Action: "published", Sender: "mallory", VersionID: retention.ID(v.ID)}
			item = retention.NewPackageWork(retention.PackageRef{Owner: "acme", Type: retention.Container, Name: "team/api"}, trigger, tag)
		}
	}
	if err := o.srv.engine.Handle(o.t.Context(), item); err != nil {
		o.t.Fatal(err)
	}
}

func TestServeFollowsItsBundleAndHoldsWithoutOne(t *testing.T) {
	t.Parallel()
	o := newOpened(t)
	o.look("debug")
	o.demand("team/api", "v1", "v2", "v3")

	good, err := os.ReadFile(filepath.Join(o.dir, "b.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	o.write("b.tar.gz", "no archive")
	o.now = o.now.Add(policyset.RefreshEvery)
	o.srv.inForce.Refresh(t.Context())
	o.logs.wait(t, "nothing is deleted until there is a good one")
	writes := o.writes()
	o.look("debug2")
	o.logs.wait(t, `"msg":"put off"`, "there are no policies")
	if err := o.srv.engine.Tick(t.Context(), o.now); err != nil {
		t.Fatal(err)
	}
	o.logs.wait(t, "nothing is started", "there are no policies")
	if set := o.srv.policySet(); set.Revision != "v1" || set.Held == "" || o.writes() != writes {
		t.Errorf("%+v, %d writes", set, o.writes()-writes)
	}
	o.demand("team/api", "debug2", "v1", "v2", "v3")

	o.write("policies/quarantine_publish.rego", strings.Replace(o.rego(), "#   mode: enforce", "#   mode: observe", 1))
	o.bundle("v2")
	o.srv.inForce.Refresh(t.Context())
	o.look("debug3") // v2 only observes
	o.logs.wait(t, `"msg":"planned"`, `"observed":1`)
	o.demand("team/api", "debug2", "debug3", "v1", "v2", "v3")

	o.write("b.tar.gz", string(good))
	o.now = o.now.Add(policyset.RefreshEvery)
	o.srv.inForce.Refresh(t.Context())
	if set := o.srv.policySet(); set.Revision != "v1" || set.Held != "" {
		t.Errorf("%+v", set)
	}
}

func (o *opened) rego() string {
	o.t.Helper()
	b, err := os.ReadFile(filepath.Join(o.dir, "policies", "quarantine_publish.rego"))
	if err != nil {
		o.t.Fatal(err)
	}
	return string(b)
}
