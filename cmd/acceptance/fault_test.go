package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/testenv"
)

// traffic writes and reads products until its context ends, and keeps count of what
// came back.
type traffic struct {
	client *http.Client
	server *server
	token  string

	mu           sync.Mutex
	acknowledged []string       // ids of rows whose creation was answered by 201
	statuses     map[string]int // by method and status
	refused      int            // connections that were not accepted
	wrong        []string       // answers that no client should see
	sent         atomic.Int64
}

func newTraffic(t *testing.T, s *server) *traffic {
	return &traffic{
		server: s, token: s.token(t, allScopes...), statuses: map[string]int{},
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

// run sends requests from several clients at once until ctx ends or the server
// accepts no more connections.
func (f *traffic) run(ctx context.Context, clients int) {
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if !f.one(client, n) {
					return
				}
			}
		})
	}
	group.Wait()
	f.client.CloseIdleConnections()
}

// one sends a request and judges the answer; false: the server is gone.
func (f *traffic) one(client, n int) bool {
	method, path, body := http.MethodPost, "/api/v1/products", fmt.Sprintf(`{"sku":"F-%d-%d","name":"n","price":1,"category":"toys"}`, client, n)
	f.mu.Lock()
	if n%2 == 1 && len(f.acknowledged) > 0 {
		method, path, body = http.MethodGet, path+"/"+f.acknowledged[len(f.acknowledged)-1], ""
	}
	f.mu.Unlock()
	request, err := http.NewRequest(method, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+f.token)
	f.sent.Add(1)
	response, err := f.client.Do(request)
	if err != nil {
		return f.failed(method, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return f.failed(method, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statuses[fmt.Sprintf("%s %d", method, response.StatusCode)]++
	var created struct{ ID string }
	switch status := response.StatusCode; {
	case method == http.MethodPost && status == http.StatusCreated && json.Unmarshal(text, &created) == nil && created.ID != "":
		f.acknowledged = append(f.acknowledged, created.ID)
	case method == http.MethodGet && status == http.StatusOK:
	case status == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" && strings.Contains(response.Header.Get("Content-Type"), "problem+json"):
		time.Sleep(20 * time.Millisecond) // a client that heeds Retry-After, in a hurry
	default:
		f.wrong = append(f.wrong, fmt.Sprintf("%s %d %v %.200s", method, status, response.Header, text))
	}
	return true
}

// failed counts a request without an answer. Only one that was never accepted may
// go without.
func (f *traffic) failed(method string, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		f.refused++
		return false
	}
	f.wrong = append(f.wrong, method+" "+err.Error())
	return true
}

// verdict fails the test for every wrong answer, and for every acknowledged row that
// is gone.
func (f *traffic) verdict(t *testing.T, s *server) {
	t.Helper()
	t.Logf("%d requests: %v, %d not accepted, %d rows acknowledged", f.sent.Load(), f.statuses, f.refused, len(f.acknowledged))
	for i, wrong := range f.wrong {
		if i == 5 {
			t.Errorf("… and %d more", len(f.wrong)-i)
			break
		}
		t.Error(wrong)
	}
	if len(f.acknowledged) < 50 {
		t.Errorf("only %d rows were acknowledged: this proves nothing", len(f.acknowledged))
	}
	lost := 0
	for _, id := range f.acknowledged {
		if s.send(t, http.MethodGet, "/api/v1/products/"+id, "").Status != http.StatusOK {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged rows are lost", lost, len(f.acknowledged))
	}
}

// TestKilledService: a service process that is killed under load comes back by
// itself; clients see nothing but 503 with Retry-After meanwhile, and what was
// acknowledged is there.
func TestKilledService(t *testing.T) {
	project := scaffold(t, "shop", shopSpec, "--profile", "microservices")
	for _, setting := range settings(t) {
		if setting.target != "split" {
			continue
		}
		t.Run(setting.name, func(t *testing.T) {
			s := run(t, project.Dir, t.TempDir(), setting)
			f := newTraffic(t, s)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				f.run(ctx, 8)
			}()
			pid := s.pid(t, "products")
			for range 3 {
				f.progress(t, 200)
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				pid = s.restarted(t, "products", pid)
			}
			f.progress(t, 200)
			stop()
			<-done
			f.verdict(t, s)
			if f.statuses["POST 503"]+f.statuses["GET 503"] == 0 {
				t.Log("no request met the dead process")
			}
			if !strings.Contains(s.stderr.String(), "products (pid") {
				t.Error("the restart was not reported")
			}
		})
	}
}

// TestStoppedUnderLoad: SIGTERM in the middle of a load; every request that was
// accepted is answered, the command exits 0, and nothing acknowledged is lost.
func TestStoppedUnderLoad(t *testing.T) {
	project := scaffold(t, "shop", shopSpec, "--profile", "microservices")
	for _, setting := range settings(t) {
		t.Run(setting.name, func(t *testing.T) {
			data := t.TempDir()
			s := run(t, project.Dir, data, setting)
			f := newTraffic(t, s)
			done := make(chan struct{})
			go func() {
				defer close(done)
				f.run(t.Context(), 8)
			}()
			f.progress(t, 400)
			s.stop() // SIGTERM, and exit 0
			<-done
			f.verdict(t, run(t, project.Dir, data, setting))
		})
	}
}

// progress waits until n more requests were sent.
func (f *traffic) progress(t *testing.T, n int64) {
	t.Helper()
	enough := f.sent.Load() + n
	until(t, 30*time.Second, "requests to be sent", func() bool { return f.sent.Load() >= enough })
}

// until polls a condition.
func until(t *testing.T, timeout time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(timeout); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", timeout, what)
		}
	}
}

// pid is the process of a target.
func (s *server) pid(t *testing.T, target string) int {
	t.Helper()
	i := slices.IndexFunc(s.Processes, func(p process) bool { return p.Target == target })
	if i < 0 {
		t.Fatalf("no process %s in %v", target, s.Processes)
	}
	return s.Processes[i].PID
}

var restart = regexp.MustCompile(`(?m)^(\S+) \(pid (\d+)\) .*started again as pid (\d+)`)

// restarted waits until the supervisor reports that a target's process was replaced,
// and returns the new one.
func (s *server) restarted(t *testing.T, target string, old int) (pid int) {
	t.Helper()
	until(t, 20*time.Second, "the restart of "+target, func() bool {
		for _, m := range restart.FindAllStringSubmatch(s.stderr.String(), -1) {
			if m[1] == target && m[2] == strconv.Itoa(old) {
				pid, _ = strconv.Atoi(m[3])
				return true
			}
		}
		return false
	})
	return pid
}

// TestDatabaseAway: while Postgres is away, clients see 503 with Retry-After and the
// readiness check names the part; when it is back everything goes on by itself, and
// nothing acknowledged is lost.
func TestDatabaseAway(t *testing.T) {
	project := scaffold(t, "shop", shopSpec, "--profile", "microservices")
	for _, target := range []string{"all", "split"} {
		t.Run(target, func(t *testing.T) {
			database := testenv.NewPostgres(t)
			s := run(t, project.Dir, t.TempDir(), setting{target, target, database.URL()})
			f := newTraffic(t, s)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				f.run(ctx, 8)
			}()
			f.progress(t, 200)
			database.Stop(t)
			f.progress(t, 100)
			admin := s.Processes[0].Admin
			if target == "split" {
				admin = s.Processes[slices.IndexFunc(s.Processes, func(p process) bool { return p.Target == "products" })].Admin
			}
			response, err := http.Get(admin + "/readyz")
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "products") {
				t.Errorf("readyz: %d %s %v", response.StatusCode, text, err)
			}
			database.Start(t)
			until(t, 20*time.Second, "the first row after the database came back", func() bool {
				return s.send(t, http.MethodPost, "/api/v1/products", `{"sku":"BACK","name":"n","price":1,"category":"toys"}`).Status == http.StatusCreated
			})
			f.progress(t, 200)
			stop()
			<-done
			f.verdict(t, s)
			if f.statuses["POST 503"] == 0 {
				t.Error("no request met the missing database")
			}
		})
	}
}
