package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// The benchmarks put an operation beside the handler that someone would write by
// hand for the same promises: request id, access log, metrics, deadline, bounded
// body, every constraint, all field errors. Neither does any work of its own.

type line struct {
	Product  string `json:"product"`
	Quantity int64  `json:"quantity"`
}

type purchase struct {
	Customer string  `json:"customer"`
	Note     *string `json:"note,omitempty"`
	Status   string  `json:"status"`
	Lines    []line  `json:"lines"`
}

func (v *line) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("product", "quantity") {
		switch key {
		case "product":
			v.Product = d.String()
			d.Format(v.Product, wire.UUID)
		case "quantity":
			v.Quantity = d.Int64()
			d.MinInt(v.Quantity, 1)
		default:
			d.Skip()
		}
	}
}

func (v *purchase) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("customer", "lines") {
		switch key {
		case "customer":
			v.Customer = d.String()
			d.Format(v.Customer, wire.UUID)
		case "note":
			if !d.Null() {
				v.Note = new(d.String())
				d.Length(*v.Note, 0, 500)
			}
		case "status":
			v.Status = d.String()
			d.Enum(v.Status, "pending", "paid")
		case "lines":
			v.Lines = wire.List(d, func(d *wire.Decoder) (l line) { l.DecodeJSON(d); return l })
			d.Items(len(v.Lines), 1, 50)
		default:
			d.Skip()
		}
	}
}

type purchase200 struct{ Body purchase }

func (r purchase200) Respond(w *rest.Writer) { w.JSON(http.StatusOK, r.Body) }

const purchaseText = `{"customer":"0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6071","note":"leave it at the door","status":"pending",` +
	`"lines":[{"product":"0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6072","quantity":2},{"product":"0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6073","quantity":1}]}`

type post struct{ Body purchase }

type get struct {
	ID    string
	Limit int64
}

func platform() http.Handler {
	router := rest.NewRouter(rest.RouterOptions{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Metrics: telemetry.New()})
	api := rest.NewAPI(router, rest.Options{Service: "bench"})
	types := []string{"application/json"}
	rest.Handle(api, rest.Operation{ID: "post", Method: "POST", Path: "/purchases", Consumes: types, Produces: types},
		func(r *rest.Request) (in post) { r.Body(in.Body.DecodeJSON); return in },
		func(_ context.Context, in post) (purchase200, error) { return purchase200(in), nil })
	rest.Handle(api, rest.Operation{ID: "get", Method: "GET", Path: "/purchases/{id}", Produces: types},
		func(r *rest.Request) (in get) {
			p := r.Path("id")
			in.ID = p.String()
			p.Format(in.ID, wire.UUID)
			if p := r.Query("limit"); p.Set() {
				in.Limit = p.Int64()
				p.MinInt(in.Limit, 1)
			}
			return in
		},
		func(_ context.Context, in get) (purchase200, error) { return purchase200{sample(in)}, nil })
	return router
}

func sample(in get) purchase {
	return purchase{Customer: in.ID, Status: "paid", Lines: []line{{in.ID, in.Limit}}}
}

type fault struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// byHand serves the same with net/http and encoding/json.
func byHand() http.Handler {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	metrics := telemetry.New()
	mux := http.NewServeMux()
	handle := func(pattern string, h func(w http.ResponseWriter, r *http.Request) (int, int)) {
		observed := metrics.Operation("bench", pattern)
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			metrics.Begin()
			defer metrics.End()
			id := r.Header.Get("X-Request-Id")
			if id == "" {
				id = uuid.Must(uuid.NewV7()).String()
			}
			w.Header().Set("X-Request-Id", id)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
			defer cancel()
			status, n := h(w, r.WithContext(ctx))
			took := time.Since(began)
			observed.Observe(status, took)
			log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", r.Method), slog.String("service", "bench"),
				slog.String("operation", pattern), slog.String("path", r.URL.Path), slog.Int("status", status), slog.Int("bytes", n),
				slog.Int64("duration_us", took.Microseconds()), slog.String("request_id", id), slog.String("principal", ""))
		})
	}
	handle("POST /purchases", postByHand)
	handle("GET /purchases/{id}", getByHand)
	return mux
}

func postByHand(w http.ResponseWriter, r *http.Request) (int, int) {
	if r.Header.Get("Content-Type") != "application/json" {
		return respond(w, http.StatusUnsupportedMediaType, nil)
	}
	var in purchase
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	if err := d.Decode(&in); err != nil {
		return respond(w, http.StatusBadRequest, err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return respond(w, http.StatusBadRequest, "more follows")
	}
	var faults []fault
	if uuid.Validate(in.Customer) != nil {
		faults = append(faults, fault{"/customer", "must be a UUID"})
	}
	if in.Note != nil && utf8.RuneCountInString(*in.Note) > 500 {
		faults = append(faults, fault{"/note", "is too long"})
	}
	if in.Status != "" && in.Status != "pending" && in.Status != "paid" {
		faults = append(faults, fault{"/status", "must be pending or paid"})
	}
	if len(in.Lines) < 1 || len(in.Lines) > 50 {
		faults = append(faults, fault{"/lines", "must have 1 to 50 items"})
	}
	for i, l := range in.Lines {
		if uuid.Validate(l.Product) != nil {
			faults = append(faults, fault{"/lines/" + strconv.Itoa(i) + "/product", "must be a UUID"})
		}
		if l.Quantity < 1 {
			faults = append(faults, fault{"/lines/" + strconv.Itoa(i) + "/quantity", "must be at least 1"})
		}
	}
	if len(faults) > 0 {
		return respond(w, http.StatusUnprocessableEntity, faults)
	}
	return respond(w, http.StatusOK, in)
}

func getByHand(w http.ResponseWriter, r *http.Request) (int, int) {
	in := get{ID: r.PathValue("id")}
	if uuid.Validate(in.ID) != nil {
		return respond(w, http.StatusUnprocessableEntity, "id must be a UUID")
	}
	if text := r.URL.Query().Get("limit"); text != "" {
		var err error
		if in.Limit, err = strconv.ParseInt(text, 10, 64); err != nil || in.Limit < 1 {
			return respond(w, http.StatusUnprocessableEntity, "limit must be at least 1")
		}
	}
	return respond(w, http.StatusOK, sample(in))
}

func respond(w http.ResponseWriter, status int, v any) (int, int) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	n, _ := w.Write(body)
	return status, n
}

// sink is a response writer that costs nothing.
type sink struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return s.body.Write(b) }

func BenchmarkHandle(b *testing.B) {
	for _, c := range []struct{ name, method, target, body string }{
		{"POST", "POST", "/purchases", purchaseText},
		{"GET", "GET", "/purchases/0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6071?limit=5", ""},
		{"refused", "POST", "/purchases", strings.ReplaceAll(purchaseText, `"quantity":`, `"quantity":-`)},
	} {
		for name, handler := range map[string]http.Handler{"platform": platform(), "by-hand": byHand()} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				r := httptest.NewRequest(c.method, c.target, nil)
				if c.body != "" {
					r.Header.Set("Content-Type", "application/json")
				}
				body := strings.NewReader(c.body)
				w := &sink{header: http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					body.Reset(c.body)
					r.Body, r.ContentLength = io.NopCloser(body), int64(len(c.body))
					clear(w.header)
					w.body.Reset()
					handler.ServeHTTP(w, r)
				}
				if want := map[bool]int{true: 422, false: 200}[c.name == "refused"]; w.status != want {
					b.Fatalf("got %d %s", w.status, &w.body)
				}
			})
		}
	}
}

// BenchmarkRoute finds operations among a thousand, as many as the largest public
// documents have.
func BenchmarkRoute(b *testing.B) {
	router, api := plainAPI()
	var targets []*http.Request
	for i := range 200 {
		base := "/v1/organizations/{org}/kind" + strconv.Itoa(i)
		for _, path := range []string{base, base + "/{id}", base + "/{id}/members", base + "/{id}/members/{user}", base + "/{id}:archive"} {
			echo(api, "GET", path)
			targets = append(targets, httptest.NewRequest("GET", strings.NewReplacer("{org}", "acme", "{id}", "0190a5b2", "{user}", "u1").Replace(path), nil))
		}
	}
	w := &sink{header: http.Header{}}
	for i := 0; b.Loop(); i++ {
		w.body.Reset()
		router.ServeHTTP(w, targets[i%len(targets)])
	}
}
