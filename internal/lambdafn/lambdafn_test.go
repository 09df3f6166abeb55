package lambdafn_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/lambdafn"
)

func TestLambdaIsToldWhyAFunctionCantStart(t *testing.T) {
	var path, kind, body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		path, kind, body = r.Method+" "+r.URL.Path, r.Header.Get("Lambda-Runtime-Function-Error-Type"), string(b)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	err := lambdafn.ReportInit(strings.TrimPrefix(server.URL, "http://"), errors.New("SHELFLIFE_TABLE is missing, token=ghp_0123456789abcdef0123"))
	if err != nil || path != "POST /2018-06-01/runtime/init/error" || kind != "Shelflife.Configuration" {
		t.Errorf("%q %q %v", path, kind, err)
	}
	if want := `{"errorMessage":"SHELFLIFE_TABLE is missing, token=[redacted]","errorType":"Shelflife.Configuration","stackTrace":[]}`; body != want {
		t.Errorf("%s, want %s", body, want)
	}
}

func TestWithoutARuntimeNobodyIsTold(t *testing.T) {
	if err := lambdafn.ReportInit("", errors.New("x")); err != nil {
		t.Error(err)
	}
	if err := lambdafn.ReportInit("127.0.0.1:1", errors.New("x")); err == nil {
		t.Error("a report that did not arrive is no error")
	}
}
