package harmless_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/harmless"
)

// TestJSONMeansTheSameAndShowsNothingHarmful holds for any text, in whatever parts
// it is written.
func TestJSONMeansTheSameAndShowsNothingHarmful(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runes := rapid.SliceOf(rapid.SampledFrom([]rune("aé日👍\u007f\u009b\u202e\u200b\u3164\ufe0f\U000E0100\u2800\x1b\n\"\\")))
		want := string(runes.Draw(t, "text"))
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := harmless.NewJSON(&out)
		for at := rapid.IntRange(1, 5).Draw(t, "part"); len(text) > 0; {
			n := min(at, len(text))
			if got, err := w.Write(text[:n]); got != n || err != nil {
				t.Fatal(got, err)
			}
			text = text[n:]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if !harmless.Rune(r) {
				t.Errorf("%U in %q", r, out.String())
			}
		}
		var got string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestAFailedWriteIsAnError(t *testing.T) {
	if _, err := harmless.NewJSON(broken{}).Write([]byte("{}")); err == nil {
		t.Error("no error")
	}
}
