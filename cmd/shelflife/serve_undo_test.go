package main

import (
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

const waitsForOwner = `"msg":"waits for what is under way on the owner"`

// quarantined starts a server whose first run has deleted team/api's debug.
func quarantined(t *testing.T) (s *served, v *visitor, run string) {
	t.Helper()
	s = newServed(t, "enforce")
	s.start()
	s.publish("team/api", "debug")
	s.logs.wait(t, `"msg":"item"`, `"outcome":"done"`)
	v = s.visit()
	_, body := v.get("/dashboard/")
	m := regexp.MustCompile(`/dashboard/runs/([^"/]+)/undo`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("nothing to undo: %s", body)
	}
	return s, v, m[1]
}

// held stops the next call that matches, and drops that when the test ends.
func (s *served) held(match string) *githubsim.Held {
	s.t.Helper()
	h, err := s.sim.Hold(githubsim.Hold{Match: match})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(h.Release)
	return h
}

// deletingDebug2 has the server delete team/api's debug2, and stops it in that call.
func (s *served) deletingDebug2() *githubsim.Held {
	s.t.Helper()
	del := s.held("DELETE /**")
	s.publish("team/api", "debug2")
	<-del.Reached()
	return del
}

func TestServeSweepsNothingWhileItsDashboardUndoes(t *testing.T) {
	t.Parallel()
	s, v, run := quarantined(t)
	_, body := v.send("/dashboard/runs/"+run+"/undo", v.form())
	plan := regexp.MustCompile(`action="(/dashboard/undo/[^"]+)"`).FindStringSubmatch(body)[1]
	restore := s.held("POST /**/restore")
	v.send(plan, v.form("confirm", "yes"))
	<-restore.Reached()
	calls := len(s.sim.Calls())
	s.publish("team/api", "debug2")
	s.logs.wait(t, waitsForOwner)
	if got := len(s.sim.Calls()); got != calls {
		t.Errorf("%d calls while the undo was under way", got-calls)
	}
	restore.Release()
	s.logs.wait(t, "dashboard: the undo has ended")
	s.logs.wait(t, `"msg":"item"`, `"version_id":"100005"`, `"outcome":"done"`) // debug2
	s.demand("team/api", "debug", "v1", "v2", "v3")
	s.stop()
}

func TestTheDashboardsUndoWaitsForWhatServeHasAtHand(t *testing.T) {
	t.Parallel()
	s, v, run := quarantined(t)
	form := v.form()
	del := s.deletingDebug2()
	calls := len(s.sim.Calls())
	type answer struct {
		body string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		body, err := v.post("/dashboard/runs/"+run+"/undo", form)
		answered <- answer{body, err}
	}()
	s.logs.wait(t, waitsForOwner)
	if got := len(s.sim.Calls()); got != calls {
		t.Errorf("%d calls beside the deletion", got-calls)
	}
	del.Release()
	if a := <-answered; a.err != nil || !strings.Contains(a.body, "1 version would come back") {
		t.Errorf("the confirmation: %v %s", a.err, a.body)
	}
	s.stop()
}

const waitsForProcess = "waiting for another shelflife that works on acme"

// beside runs a command with its own stderr; what it exits with comes later.
func (s *served) beside(args ...string) (errs *watched, ended <-chan int) {
	errs, code := newWatched(), make(chan int, 1)
	env := func(k string) string { return s.env[k] }
	ctx := s.t.Context()
	go func() { code <- run(ctx, args, streams{out: io.Discard, err: errs, getenv: env, dir: s.dir}) }()
	return errs, code
}

func TestServeSweepsNothingWhileAnotherProcessUndoes(t *testing.T) {
	t.Parallel()
	s, _, run := quarantined(t)
	restore := s.held("POST /**/restore")
	errs, ended := s.beside("undo", run, "--yes")
	<-restore.Reached()
	calls := len(s.sim.Calls())
	s.publish("team/api", "debug2")
	s.logs.wait(t, waitsForProcess)
	if got := len(s.sim.Calls()); got != calls {
		t.Errorf("%d calls while the undo was under way", got-calls)
	}
	restore.Release()
	if code := <-ended; code != exitDone {
		t.Errorf("undo: %d %s", code, errs)
	}
	s.logs.wait(t, `"msg":"item"`, `"version_id":"100005"`, `"outcome":"done"`) // debug2
	s.demand("team/api", "debug", "v1", "v2", "v3")
	s.stop()
}

func TestAnUndoWaitsForServeInAnotherProcess(t *testing.T) {
	t.Parallel()
	s, _, run := quarantined(t)
	del := s.deletingDebug2()
	errs, ended := s.beside("undo", run, "--yes")
	errs.wait(t, waitsForProcess)
	if got := s.active("team/api"); slices.Contains(got, "debug") {
		t.Errorf("restored beside the sweep: %s", got)
	}
	del.Release()
	if code := <-ended; code != exitDone {
		t.Errorf("undo: %d %s", code, errs)
	}
	s.demand("team/api", "debug", "v1", "v2", "v3")
	s.stop()
}

func TestAnUndoBringsBackWhatItsRunDeletedWhileItWaited(t *testing.T) {
	t.Parallel()
	s, _, earlier := quarantined(t)
	del := s.deletingDebug2()
	_, listed, _ := s.command("runs", "--format", "json")
	ids := regexp.MustCompile(`"id": "(\d{8}T[^"]+)"`).FindAllStringSubmatch(listed, -1)
	if len(ids) != 2 || ids[0][1] == earlier {
		t.Fatalf("not the run under way first, then %s: %s", earlier, listed)
	}
	errs, ended := s.beside("undo", ids[0][1], "--yes")
	errs.wait(t, waitsForProcess)
	del.Release()
	if code := <-ended; code != exitDone {
		t.Errorf("undo: %d %s", code, errs)
	}
	s.demand("team/api", "debug2", "v1", "v2", "v3")
	s.stop()
}

// post is send for other goroutines than the test's.
func (v *visitor) post(path string, form url.Values) (string, error) {
	resp, err := v.client.PostForm(v.base+path, form)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var b strings.Builder
	_, err = io.Copy(&b, resp.Body)
	return b.String(), err
}
