package simtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// OpenAPI is GitHub's own description of the Packages operations.
type OpenAPI struct {
	doc    *openapi3.T
	router routers.Router
}

// LoadOpenAPI reads the description from the shared data beside the repository.
// Where that is absent the test is skipped.
func LoadOpenAPI(t testing.TB) *OpenAPI {
	t.Helper()
	file, err := specPath()
	if err != nil {
		t.Skipf("GitHub's OpenAPI description is not there: %v", err)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatalf("load %s: %v", file, err)
	}
	doc.Servers = nil // any address is GitHub
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, response := range op.Responses.Map() {
				mendDocker(response.Value)
			}
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatalf("route %s: %v", file, err)
	}
	return &OpenAPI{doc: doc, router: router}
}

// Operations lists "METHOD path" of every operation, sorted.
func (o *OpenAPI) Operations() []string {
	var out []string
	for path, item := range o.doc.Paths.Map() {
		for method := range item.Operations() {
			out = append(out, method+" "+path)
		}
	}
	slices.Sort(out)
	return out
}

// specPath looks beside the repository that the test runs in.
func specPath() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", errors.New("no go.mod above the test")
	}
	file := filepath.Join(filepath.Dir(dir), "shared", "data", "packages-openapi.json")
	_, err = os.Stat(file)
	return file, err
}

// mendDocker corrects the description's own mistake: docker metadata has the
// property tag but requires tags.
func mendDocker(response *openapi3.Response) {
	for _, media := range response.Content {
		schema := media.Schema.Value
		if schema.Items != nil {
			schema = schema.Items.Value
		}
		metadata := schema.Properties["metadata"]
		if metadata == nil {
			continue
		}
		if docker := metadata.Value.Properties["docker"]; docker != nil {
			docker.Value.Required = []string{"tag"}
		}
	}
}

// ValidateOpenAPI passes requests on to next and fails the test for a Packages
// request, or an answer to one, that does not fit GitHub's description. Calls
// outside of the description pass unchecked. Answers of a status that GitHub
// does not document are held against its error body. Where the description is
// not at hand the test is skipped.
func ValidateOpenAPI(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	spec := LoadOpenAPI(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		input, err := spec.request(r)
		if err != nil {
			t.Errorf("%s %s: request does not fit GitHub's description: %v", r.Method, r.URL, err)
		}
		if input == nil {
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		if err := spec.response(r.Context(), input, rec); err != nil {
			t.Errorf("%s %s: answer %d does not fit GitHub's description: %v\n%s", r.Method, r.URL, rec.Code, err, rec.Body)
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		if _, err := io.Copy(w, rec.Body); err != nil && r.Context().Err() == nil {
			t.Errorf("%s %s: pass on the answer: %v", r.Method, r.URL, err)
		}
	})
}

// request finds the operation and checks the request; nil without an error is a
// request that the description does not know.
func (o *OpenAPI) request(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	plain := r.Clone(r.Context())
	escaped := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v3")
	unescaped, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, err
	}
	plain.URL.Path, plain.URL.RawPath = unescaped, escaped
	route, params, err := o.router.FindRoute(plain)
	if err != nil {
		return nil, nil //nolint:nilerr // not one of the described operations: nothing to check
	}
	input := &openapi3filter.RequestValidationInput{
		Request: plain, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	}
	if err := unknownParameters(route, plain.URL.Query()); err != nil {
		return input, err
	}
	return input, openapi3filter.ValidateRequest(r.Context(), input)
}

// unknownParameters refuses a query that GitHub would silently ignore, except
// for those on /users that are known to work undocumented.
func unknownParameters(route *routers.Route, query url.Values) error {
	known := []string{}
	if strings.HasSuffix(route.Path, "/versions") {
		known = []string{"page", "per_page", "state"}
	}
	for _, p := range slices.Concat(route.PathItem.Parameters, route.Operation.Parameters) {
		known = append(known, p.Value.Name)
	}
	for name := range query {
		if !slices.Contains(known, name) {
			return fmt.Errorf("query parameter %q is not documented", name)
		}
	}
	return nil
}

func (o *OpenAPI) response(ctx context.Context, input *openapi3filter.RequestValidationInput, rec *httptest.ResponseRecorder) error {
	if rec.Code == http.StatusNotModified {
		return nil
	}
	if input.Route.Operation.Responses.Status(rec.Code) == nil {
		return errorBody(rec)
	}
	return openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: rec.Code, Header: rec.Header(),
		Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())),
	})
}

// errorBody checks an undocumented status: it must be an error with GitHub's
// body, whose status is a string. Limits leave the status out.
func errorBody(rec *httptest.ResponseRecorder) error {
	if rec.Code < 400 {
		return errors.New("the status is not documented")
	}
	var body struct {
		Message string  `json:"message"`
		Docs    string  `json:"documentation_url"`
		Status  *string `json:"status"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		return fmt.Errorf("error body: %w", err)
	}
	if body.Message == "" || body.Docs == "" || body.Status != nil && *body.Status != strconv.Itoa(rec.Code) {
		return errors.New("error body lacks message, documentation_url or the right status")
	}
	return nil
}
