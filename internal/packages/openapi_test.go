package packages_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const openapiFile = "../../../shared/data/packages-openapi.json"

// examples are GitHub's published answers: path template → operation.
type examples struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Responses   map[string]struct {
			Content map[string]struct {
				Examples map[string]struct {
					Value json.RawMessage `json:"value"`
				} `json:"examples"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
}

// subject is what an example is about, so that it can be asked for.
type subject struct {
	ID       int64                 `json:"id"`
	Name     string                `json:"name"`
	Type     retention.PackageType `json:"package_type"`
	Metadata struct {
		Type retention.PackageType `json:"package_type"`
	} `json:"metadata"`
}

func TestGitHubsPublishedExamplesDecode(t *testing.T) {
	raw, err := os.ReadFile(openapiFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("GitHub's API description is not at %s: it is not part of the project", openapiFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	var doc examples
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	done := 0
	for path, methods := range doc.Paths {
		op, ok := methods["get"]
		if !ok {
			continue
		}
		for name, example := range op.Responses["200"].Content["application/json"].Examples {
			done++
			t.Run(strings.ReplaceAll(op.OperationID+" "+name, "/", " "), func(t *testing.T) { decodeExample(t, path, example.Value) })
		}
	}
	equal(t, "number of list and get examples", 15, done)
}

func decodeExample(t *testing.T, path string, body json.RawMessage) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("unexpected %s", r.Method)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	var (
		c     = newClient(t, srv.URL)
		ctx   = t.Context()
		owner = map[string]retention.Owner{"orgs": acme, "users": mona, "user": self}[strings.Split(path, "/")[1]]
		want  = subjects(t, body)
		first = want[0]
		got   []string
		err   error
	)
	switch {
	case strings.HasSuffix(path, "/docker/conflicts"):
		var ps []retention.Package
		ps, err = c.DockerConflicts(ctx, owner)
		got = packageNames(ps...)
	case strings.HasSuffix(path, "/packages"):
		var l packages.PackageList
		l, err = c.ListPackages(ctx, owner, packages.Query{Type: first.Type})
		got = packageNames(l.Items...)
		equal(t, "complete", true, l.Complete)
	case strings.HasSuffix(path, "/{package_name}"):
		var p retention.Package
		p, err = c.GetPackage(ctx, owner, first.Type, first.Name)
		got = packageNames(p)
	case strings.HasSuffix(path, "/versions"):
		var l packages.VersionList
		l, err = c.ListVersions(ctx, owner, first.Metadata.Type, "x", retention.Active)
		got = versionNames(l.Items...)
		equal(t, "complete", true, l.Complete)
	case strings.HasSuffix(path, "/{package_version_id}"):
		var v retention.Version
		v, err = c.GetVersion(ctx, owner, first.Metadata.Type, "x", retention.ID(first.ID))
		got = versionNames(v)
	default:
		t.Fatalf("no operation for %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range want {
		names = append(names, fmt.Sprintf("%d %s", s.ID, s.Name))
	}
	equal(t, "ids and names", names, got)
}

func subjects(t *testing.T, body json.RawMessage) []subject {
	t.Helper()
	var list []subject
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		return list
	}
	var one subject
	if err := json.Unmarshal(body, &one); err != nil {
		t.Fatal(err)
	}
	return []subject{one}
}

func packageNames(ps ...retention.Package) []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, p := range ps {
			if !p.Type.Valid() || p.CreatedAt.IsZero() || !yield(fmt.Sprintf("%d %s", int64(p.ID), p.Name)) {
				return
			}
		}
	})
}

func versionNames(vs ...retention.Version) []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, v := range vs {
			if v.CreatedAt.IsZero() || !yield(fmt.Sprintf("%d %s", int64(v.ID), v.Name)) {
				return
			}
		}
	})
}
