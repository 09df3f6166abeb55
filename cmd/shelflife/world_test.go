package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// world is the simulated GitHub of one script.
type world struct {
	url   string
	start githubsim.State
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func (w *world) get(ts *testscript.TestScript, what string, into any) {
	r, err := http.Get(w.url + "/_sim/" + what)
	ts.Check(err)
	defer r.Body.Close()
	ts.Check(json.NewDecoder(r.Body).Decode(into))
}

func (w *world) post(ts *testscript.TestScript, what, body string) {
	r, err := http.Post(w.url+"/_sim/"+what, "application/json", strings.NewReader(body))
	ts.Check(err)
	defer r.Body.Close()
	if r.StatusCode >= 300 {
		answer, err := io.ReadAll(r.Body)
		ts.Check(err)
		ts.Fatalf("the simulator refuses %s: %s", what, answer)
	}
}

func (w *world) state(ts *testscript.TestScript) githubsim.State {
	var s githubsim.State
	w.get(ts, "state", &s)
	return s
}

// cmdState prints what is different from the simulator's start, a line each:
// "- OWNER/TYPE/NAME KEY" for what was deleted, "+ …" for what was restored.
func cmdState(ts *testscript.TestScript, neg bool, _ []string) {
	refuse(ts, neg)
	w := worldOf(ts)
	before, now := states(w.start), states(w.state(ts))
	var lines []string
	for what, state := range now {
		switch {
		case before[what] == "":
			lines = append(lines, "? "+what)
		case before[what] == state:
		case state == retention.Deleted:
			lines = append(lines, "- "+what)
		default:
			lines = append(lines, "+ "+what)
		}
	}
	printSorted(ts, lines)
}

// states gives every package and version its state.
func states(s githubsim.State) map[string]retention.State {
	out := map[string]retention.State{}
	for _, o := range s.Owners {
		for _, p := range o.Packages {
			ref := o.Login + "/" + string(p.Type) + "/" + p.Name
			out[ref] = p.State
			for _, v := range p.Versions {
				out[ref+" "+v.Key] = v.State
			}
		}
	}
	return out
}

// cmdPlanned prints what a saved plan would do, like state: planned FILE.
func cmdPlanned(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	var plan struct {
		Items []retention.Item `json:"items"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(one(ts, args))), &plan))
	now := worldOf(ts).state(ts)
	var lines []string
	for _, it := range plan.Items {
		if it.Status != retention.StatusPlanned {
			continue
		}
		sign := map[retention.Action]string{retention.Delete: "- ", retention.Restore: "+ "}[it.Action]
		lines = append(lines, sign+it.Ref().String()+keyOf(now, it))
	}
	printSorted(ts, lines)
}

func keyOf(s githubsim.State, it retention.Item) string {
	if it.Target == retention.TargetPackage {
		return ""
	}
	p, _ := s.Package(it.Owner, it.PackageType, it.Package)
	for _, v := range p.Versions {
		if v.ID == int64(it.VersionID) {
			return " " + v.Key
		}
	}
	return " unknown"
}

func printSorted(ts *testscript.TestScript, lines []string) {
	slices.Sort(lines)
	fmt.Fprint(ts.Stdout(), strings.Join(append(lines, ""), "\n"))
}

// cmdCalls demands how many calls asked GitHub to delete or restore: calls N.
func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	want, err := strconv.Atoi(one(ts, args))
	ts.Check(err)
	var calls []githubsim.Call
	worldOf(ts).get(ts, "calls", &calls)
	calls = slices.DeleteFunc(calls, func(c githubsim.Call) bool { return !c.Mutating })
	if len(calls) != want {
		ts.Fatalf("%d mutating calls, want %d: %+v", len(calls), want, calls)
	}
}

// cmdJSON demands that a file, such as stdout, is JSON of a schema:
// json FILE [SCHEMA].
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	if len(args) > 1 {
		if got := at(ts, doc, "schema"); got != args[1] {
			ts.Fatalf("schema %v, want %s", got, args[1])
		}
	}
}

// cmdGetJSON reads a value into a variable: getjson VAR FILE PATH, where PATH is
// such as items.0.version.
func cmdGetJSON(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &doc))
	ts.Setenv(args[0], fmt.Sprint(at(ts, doc, args[2])))
}

func at(ts *testscript.TestScript, doc any, path string) any {
	for _, step := range strings.Split(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: there are only %d", path, len(v))
			}
			doc = v[i]
		default:
			ts.Fatalf("%s: nothing at %s", path, step)
		}
	}
	return doc
}

// cmdSameJSON demands that a file and a text are the same document:
// samejson FILE TEXT.
func cmdSameJSON(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	var file, text any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &file))
	ts.Check(json.Unmarshal([]byte(args[1]), &text))
	if diff := cmp.Diff(file, text); diff != "" {
		ts.Fatalf("not the same (-file +text):\n%s", diff)
	}
}

// cmdAsked demands how many calls of any kind were made: asked N.
func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	want, err := strconv.Atoi(one(ts, args))
	ts.Check(err)
	var calls []githubsim.Call
	worldOf(ts).get(ts, "calls", &calls)
	if len(calls) != want {
		ts.Fatalf("%d calls, want %d: %+v", len(calls), want, calls)
	}
}
