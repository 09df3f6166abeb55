package s3snap

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 5, time.UTC)

func open(t *testing.T) (*Store, *s3.Client) {
	t.Helper()
	env := awstest.Start(t)
	return New(env.S3(), env.Bucket(t), headsIn(t, env)), env.S3()
}

func headsIn(t *testing.T, env *awstest.Env) Heads {
	t.Helper()
	return dynamodb.New(ddb.NewFromConfig(env.Config), env.Table(t, dynamodb.Definition("")), func() time.Time { return noon })
}

func snapshotOf(owner string, kind retention.PackageType, name string) retention.Inventory {
	return retention.Inventory{
		Owner:    retention.Owner{Login: owner},
		Package:  retention.Package{ID: 7, Name: name, Type: kind, State: retention.Active, CreatedAt: noon},
		Versions: []retention.Version{{ID: 1, Name: "sha256:a", State: retention.Active, Tags: []string{"v1"}}, {ID: 2, Name: "sha256:b"}},
		Graph:    retention.NewGraph([]retention.Node{{Digest: "sha256:a", Kind: retention.KindIndex, Children: []string{"sha256:b"}}, {Digest: "sha256:b"}}),
		Complete: true, ReadAt: noon,
	}
}

func save(t *testing.T, s *Store, inventories ...retention.Inventory) {
	t.Helper()
	for _, inv := range inventories {
		if err := s.SaveSnapshot(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, all iter.Seq2[retention.Inventory, error]) (out []string) {
	t.Helper()
	for inv, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, inv.Ref().String())
	}
	return out
}

func graphs(a, b retention.Graph) bool { return cmp.Equal(a.Digests(), b.Digests()) }

func TestASnapshotComesBackAsItWas(t *testing.T) {
	s, _ := open(t)
	old, inv := snapshotOf("Acme", retention.Container, "team/api"), snapshotOf("acme", retention.Container, "team/api")
	old.Versions = nil
	save(t, s, old, inv) // one package, however its owner is spelt
	got, ok, err := s.Snapshot(t.Context(), retention.PackageRef{Owner: "ACME", Type: retention.Container, Name: "team/api"})
	if diff := cmp.Diff(inv, got, cmp.Comparer(graphs)); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v (-want +got)\n%s", ok, err, diff)
	}
	if got.Digest() != inv.Digest() {
		t.Error("its digest is another")
	}
	if _, ok, err := s.Snapshot(t.Context(), retention.PackageRef{Owner: "acme", Type: retention.NPM, Name: "team/api"}); ok || err != nil {
		t.Errorf("another package: %v, %v; want none", ok, err)
	}
}

func TestSnapshotsGoesOverOneOwner(t *testing.T) {
	s, _ := open(t)
	var want []string
	for i := range 3*ahead + 1 {
		inv := snapshotOf("acme", retention.NPM, fmt.Sprintf("@team/p%02d", i))
		save(t, s, inv)
		want = append(want, inv.Ref().String())
	}
	odd := snapshotOf("acme", retention.Container, "../#?& ☃"+strings.Repeat("x", 2000))
	save(t, s, odd, snapshotOf("acme-other", retention.NPM, "x"), snapshotOf("acm", retention.NPM, "x"))
	want = append([]string{odd.Ref().String()}, want...)
	if diff := cmp.Diff(want, names(t, s.Snapshots(t.Context(), "ACME"))); diff != "" {
		t.Errorf("snapshots (-want +got)\n%s", diff)
	}
	if got := names(t, s.Snapshots(t.Context(), "nobody")); len(got) != 0 {
		t.Errorf("nobody has %v", got)
	}
}

// counting holds how many readings are under way, and pages listings by two.
type counting struct {
	API
	gets  atomic.Int32
	lists atomic.Int32
}

func (c *counting) GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	c.gets.Add(1)
	return c.API.GetObject(ctx, in, opts...)
}

func (c *counting) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	c.lists.Add(1)
	in.MaxKeys = aws.Int32(2)
	return c.API.ListObjectsV2(ctx, in, opts...)
}

func TestSnapshotsReadsAFewAheadAndStopsWhenTold(t *testing.T) {
	s, client := open(t)
	c := &counting{API: client}
	s = New(c, s.bucket, s.heads)
	for i := range 4 * ahead {
		save(t, s, snapshotOf("acme", retention.NPM, fmt.Sprint(i)))
	}
	for inv, err := range s.Snapshots(t.Context(), "acme") {
		if err != nil || inv.Package.Name != "0" {
			t.Errorf("first is %s, %v", inv.Ref(), err)
		}
		break
	}
	if n := c.gets.Load(); n > ahead+1 {
		t.Errorf("%d were read for one, want at most %d", n, ahead+1)
	}
	c.lists.Store(0)
	if got := names(t, s.Snapshots(t.Context(), "acme")); len(got) != 4*ahead || c.lists.Load() != 2*ahead {
		t.Errorf("%d snapshots in %d pages, want %d in %d", len(got), c.lists.Load(), 4*ahead, 2*ahead)
	}
}

func TestSnapshotsEndsWithAnError(t *testing.T) {
	put := func(t *testing.T, s *Store, key string, body []byte) {
		t.Helper()
		if err := s.put(t.Context(), key, bytes.NewBuffer(body)); err != nil {
			t.Fatal(err)
		}
	}
	first, second := snapshotOf("acme", retention.NPM, "a"), snapshotOf("acme", retention.NPM, "b")
	for name, tt := range map[string]struct {
		harm func(t *testing.T, s *Store)
		says string
	}{
		"not gzip": {func(t *testing.T, s *Store) { put(t, s, snapshotKey(second.Ref()), []byte("{}")) }, "b.json.gz"},
		"cut off": {func(t *testing.T, s *Store) {
			var whole bytes.Buffer
			z := gzip.NewWriter(&whole)
			if _, err := z.Write([]byte("{}")); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			put(t, s, snapshotKey(second.Ref()), whole.Bytes()[:whole.Len()-2])
		}, "unexpected EOF"},
		"another package's": {func(t *testing.T, s *Store) {
			_, err := s.client.(*s3.Client).CopyObject(t.Context(), &s3.CopyObjectInput{
				Bucket: &s.bucket, Key: aws.String(snapshotKey(second.Ref())), CopySource: aws.String(s.bucket + "/" + snapshotKey(first.Ref())),
			})
			if err != nil {
				t.Fatal(err)
			}
		}, "holds a snapshot of acme/npm/a: remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t)
			save(t, s, first)
			tt.harm(t, s)
			var got []string
			var failed error
			for inv, err := range s.Snapshots(t.Context(), "acme") {
				if failed != nil {
					t.Error("went on after an error")
				}
				if failed = err; err == nil {
					got = append(got, inv.Package.Name)
				}
			}
			if diff := cmp.Diff([]string{"a"}, got); diff != "" || failed == nil || !strings.Contains(failed.Error(), tt.says) {
				t.Errorf("%v, want %q (-want +got)\n%s", failed, tt.says, diff)
			}
			if _, ok, err := s.Snapshot(t.Context(), second.Ref()); ok || err == nil {
				t.Errorf("by itself: %v, %v; want an error", ok, err)
			}
		})
	}
}

func TestABucketThatCantBeReachedIsAnError(t *testing.T) {
	env := awstest.Start(t)
	s := New(env.S3(), awstest.Unique("none"), headsIn(t, env))
	if err := s.SaveSnapshot(t.Context(), snapshotOf("acme", retention.NPM, "a")); err == nil {
		t.Error("saved")
	}
	failed := 0
	for _, err := range s.Snapshots(t.Context(), "acme") {
		if err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d errors from Snapshots, want 1", failed)
	}
	if _, _, err := s.Snapshot(t.Context(), retention.PackageRef{Owner: "acme", Type: "npm", Name: "a"}); err == nil {
		t.Error("a missing bucket was taken for a missing snapshot")
	}
	if err := s.SaveSnapshot(t.Context(), retention.Inventory{}); err == nil || !strings.Contains(err.Error(), "names no package") {
		t.Errorf("of nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.Snapshots(ctx, "acme") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// A goroutine that gives up under a cancelled context must not look like the end.
func TestSnapshotsNeverEndsEarlyInSilence(t *testing.T) {
	s, _ := open(t)
	for i := range 3 * ahead {
		save(t, s, snapshotOf("acme", retention.NPM, fmt.Sprint(i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, failed := 0, error(nil)
	for _, err := range s.Snapshots(ctx, "acme") {
		if failed = err; err == nil {
			n++
		}
		cancel()
	}
	if n < 3*ahead && !errors.Is(failed, context.Canceled) {
		t.Errorf("%d snapshots and %v, want all or an error", n, failed)
	}
}

func TestDecisionsAreOneObjectOfLines(t *testing.T) {
	s, client := open(t)
	log := Log{Owner: "Acme", Run: "plan/1", At: time.Date(2026, 11, 23, 0, 30, 0, 0, time.FixedZone("", 3600))}
	rows := func(n int, end error) iter.Seq2[map[string]int, error] {
		return func(yield func(map[string]int, error) bool) {
			for i := range n {
				if !yield(map[string]int{"row": i}, nil) {
					return
				}
			}
			if end != nil {
				yield(nil, end)
			}
		}
	}
	slice := log
	slice.Part = "2"
	for _, l := range []Log{log, log, slice} { // the second replaces the first
		if n, err := SaveDecisions(t.Context(), s, l, rows(2, nil)); n != 2 || err != nil {
			t.Fatalf("%d rows, %v", n, err)
		}
	}
	none := log
	none.Run = "empty"
	if n, err := SaveDecisions(t.Context(), s, none, rows(0, nil)); n != 0 || err != nil {
		t.Errorf("nothing: %d rows, %v", n, err)
	}
	broken := errors.New("broken")
	if n, err := SaveDecisions(t.Context(), s, none, rows(3, broken)); n != 0 || !errors.Is(err, broken) {
		t.Errorf("an error among the rows: %d, %v", n, err)
	}
	if _, err := SaveDecisions(t.Context(), s, Log{Owner: "acme"}, rows(1, nil)); err == nil {
		t.Error("a log without a run was taken")
	}
	out, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &s.bucket})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	slices.Sort(keys)
	const dir = "decisions/v1/owner=acme/dt=2026-11-22/"
	if diff := cmp.Diff([]string{dir + "run=plan!2F1.2.ndjson.gz", dir + "run=plan!2F1.ndjson.gz"}, keys); diff != "" {
		t.Errorf("objects (-want +got)\n%s", diff)
	}
	object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &s.bucket, Key: &keys[1]})
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if diff := cmp.Diff("{\"row\":0}\n{\"row\":1}\n", string(text)); diff != "" || err != nil {
		t.Errorf("lines %v (-want +got)\n%s", err, diff)
	}
}

func TestKeysOfDifferentNamesDiffer(t *testing.T) {
	name := rapid.StringMatching(`[!/a2-]{0,4}(x{0}|x{300}|/{300})[!/a-]{0,3}`)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := name.Draw(rt, "a"), name.Draw(rt, "b")
		x, y := escape(a), escape(b)
		if (x == y) != (a == b) || len(x) > longestPart || strings.Contains(x, "/") {
			rt.Fatalf("%q and %q become %q and %q", a, b, x, y)
		}
	})
}
