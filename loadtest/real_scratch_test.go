package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
	"github.com/e6b96b0c/backend/generator/spec"
)

func TestScratchReal(t *testing.T) {
	for _, f := range []string{"/tmp/oas/package/3.1/json/train-travel.json", "/tmp/oas/package/3.1/json/petstore.json", "../testdata/specs/good/shop.yaml"} {
		doc, err := spec.Load(os.ReadFile, f)
		if err != nil {
			t.Log(f, err)
			continue
		}
		api := doc.API
		t.Log("=====", f, api.BasePath, len(api.Operations))
		n := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n++
			if n%7 == 0 {
				b, _ := httputil.DumpRequest(r, true)
				fmt.Printf("%s\n\n", b)
			}
			w.WriteHeader(404)
		}))
		res, err := Run(context.Background(), Options{
			BaseURL: srv.URL, API: api, Rate: 100, Duration: time.Second, Seed: 1,
			Token: func(context.Context, []string) (string, error) { return "tok", nil },
		})
		srv.Close()
		if err != nil {
			t.Log(err)
			continue
		}
		for _, s := range res.NotExercised {
			t.Logf("%+v", s)
		}
		for _, op := range api.Operations {
			if op.Body == nil {
				continue
			}
			for _, m := range op.Body.Content {
				g, err := sample.Compile(m.Schema, sample.Options{})
				if err != nil {
					t.Log(op.ID, m.Type, err)
					continue
				}
				t.Logf("%s %s %s", op.ID, m.Type, g.Append(nil, rand.New(rand.NewPCG(1, 2))))
			}
		}
		_ = json.Marshal
		_ = model.API{}
	}
}
