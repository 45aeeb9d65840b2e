package supervisor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	// Neither of the services gets on before the other is there too: they start,
	// and stop, at once.
	r.tell("gather-orders", "orders order-items")
	r.tell("gather-order-items", "orders order-items")
	s := r.start(r.options("orders", "order-items"))
	processes := s.Processes()
	var targets []string
	for _, p := range processes {
		targets = append(targets, p.Target)
		env := get(t, p.URL)
		for _, want := range []string{"SERVICE_ORDERS_URL=" + processes[1].URL, "SERVICE_ORDER_ITEMS_URL=" + processes[2].URL} {
			if !strings.Contains(env, want+"\n") {
				t.Errorf("%s lacks %s:\n%s", p.Target, want, env)
			}
		}
		if p.PID == 0 || !strings.HasPrefix(p.Admin, "http://127.0.0.1:") {
			t.Errorf("process %+v", p)
		}
	}
	if got := strings.Join(targets, " "); got != "gateway orders order-items" {
		t.Errorf("processes %s", got)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	r.alone()
	order := r.events()
	for i, phase := range [][]string{
		{"start order-items", "start orders"},
		{"ready order-items", "ready orders"},
		{"start gateway", "ready gateway"},
		{"stop gateway", "end gateway"},
		{"stop order-items", "stop orders"},
		{"end order-items", "end orders"},
	} {
		got := order[2*i : 2*i+2]
		if i != 2 && i != 3 {
			slices.Sort(got)
		}
		if !slices.Equal(got, phase) {
			t.Fatalf("events are not in order at %v: %q", phase, order)
		}
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.start(r.options("orders", "users"))
	before := s.Processes()
	env := get(t, before[1].URL)
	for n := 1; n <= 3; n++ {
		old := s.Processes()
		if err := syscall.Kill(old[1].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		line := r.line()
		now := s.Processes()
		want := fmt.Sprintf(`^orders \(pid %d\) was killed \(signal: killed\); started again as pid %d after [\d.]+m?s \(%s restart\)$`,
			old[1].PID, now[1].PID, ordinal(n))
		if !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("report %q, want %s", line, want)
		}
		if now[1].URL != before[1].URL || now[1].Admin != before[1].Admin || now[0] != before[0] || now[2] != before[2] {
			t.Errorf("processes %v, before %v", now, before)
		}
		if got := get(t, now[1].URL); got != env {
			t.Errorf("environment %q, before %q", got, env)
		}
		if !strings.Contains(r.log.String(), line+"\n") {
			t.Error("the report is not in the log")
		}
	}
	if want := []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond}; !slices.Equal(r.pauses, want) {
		t.Errorf("pauses %v, want %v", r.pauses, want)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	r.alone()
}

// The front keeps the port that the system chose for it at first.
func TestRestartOfTheFront(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.start(r.options("orders"))
	before := s.Processes()[0]
	if err := syscall.Kill(before.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line := r.line(); !strings.Contains(line, "ended (exit status 0); started again") {
		t.Error(line)
	}
	now := s.Processes()[0]
	if now.PID == before.PID || now.URL != before.URL || now.Admin != before.Admin {
		t.Errorf("%v, before %v", now, before)
	}
}

func TestGivingUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.start(r.options("orders", "users"))
	r.tell("fail-orders", "3 the disk is gone\nfor good")
	if err := syscall.Kill(s.Processes()[1].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < maxFailures; n++ {
		want := fmt.Sprintf("orders: the disk is gone for good (%s of 5 attempts to start it again failed)", ordinal(n))
		if line := r.line(); line != want {
			t.Errorf("report %q, want %q", line, want)
		}
	}
	<-s.Failed()
	var failed *StartError
	if err := s.Err(); !errors.As(err, &failed) || failed.Target != "orders" || failed.Code != 3 ||
		err.Error() != "given up after 5 attempts to start it again: orders: the disk is gone\nfor good" {
		t.Errorf("given up with %v", err)
	}
	ms := time.Millisecond
	if want := []time.Duration{0, 100 * ms, 200 * ms, 400 * ms, 800 * ms}; !slices.Equal(r.pauses, want) {
		t.Errorf("pauses %v, want %v", r.pauses, want)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	r.alone()
	if got := r.events(); !slices.Equal(got[len(got)-4:], []string{"stop gateway", "end gateway", "stop users", "end users"}) {
		t.Errorf("events %q", got)
	}
}

func TestFailedStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tell map[string]string
		want StartError
	}{
		// What hangs must not keep the error from coming.
		"a setting": {map[string]string{"fail-orders": "2 DATABASE_URL: no such scheme", "hang-users": ""}, StartError{"orders", 2, "DATABASE_URL: no such scheme"}},
		"no words":  {map[string]string{"fail-orders": "7 "}, StartError{"orders", 7, "the project ended (exit status 7) before it was ready"}},
		"the front": {map[string]string{"fail-gateway": "3 address already in use"}, StartError{"gateway", 3, "address already in use"}},
		"too late":  {map[string]string{"hang-orders": ""}, StartError{"orders", 0, "the project did not become ready within 1s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			for what, text := range c.tell {
				r.tell(what, text)
			}
			o := r.options("orders", "users")
			if name == "too late" { // others may be slow too
				o.ReadyTimeout, o.Services = time.Second, []string{"orders"}
			}
			_, err := Start(t.Context(), o)
			var failed *StartError
			if !errors.As(err, &failed) || *failed != c.want {
				t.Errorf("got %+v, want %+v", err, c.want)
			}
			r.alone()
			if began := slices.Contains(r.events(), "start gateway"); began != (c.want.Target == "gateway") {
				t.Errorf("events %q", r.events())
			}
		})
	}
}

func TestKilledWhileStarting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tell("hang-orders", "")
	go func() {
		await(r.dir, "start", "orders")
		_ = syscall.Kill(r.pids("start orders")[0], syscall.SIGKILL)
	}()
	_, err := Start(t.Context(), r.options("orders"))
	if want := "orders: the project was killed (signal: killed) before it was ready"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	r.alone()
}

func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	for _, hanging := range []string{"orders", "gateway"} {
		t.Run(hanging, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.tell("hang-"+hanging, "")
			cause := errors.New("interrupted")
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				await(r.dir, "start", hanging)
				cancel(cause)
			}()
			if _, err := Start(ctx, r.options("orders", "users")); !errors.Is(err, cause) {
				t.Errorf("got %v", err)
			}
			r.alone()
		})
	}
}

// A process that does not stop is killed, and the others stop in order.
func TestDeaf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tell("deaf-orders", "")
	o := r.options("orders", "users")
	o.StopTimeout = 3 * time.Second
	s := r.start(o)
	err := s.Stop()
	if want := "orders: the project did not stop in order: it was killed (signal: killed)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	r.alone()
}

// One that is stopped while it starts again does not stay behind.
func TestStopDuringRestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.start(r.options("orders", "users"))
	r.tell("hang-orders", "")
	if err := syscall.Kill(s.Processes()[1].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for len(r.pids("start orders")) < 2 {
		time.Sleep(5 * time.Millisecond) // another process's doing
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	r.alone()
	events := r.events()
	if slices.Index(events, "stop orders") < slices.Index(events, "end gateway") {
		t.Errorf("events %q", events)
	}
}

func TestAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.options()
	o.Front = "all"
	s := r.start(o)
	if got := s.Processes(); len(got) != 1 || got[0].Target != "all" {
		t.Errorf("processes %v", got)
	}
	if err := syscall.Kill(s.Processes()[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Failed()
	var ended *EndError
	if err := s.Err(); !errors.As(err, &ended) || ended.Code != -1 || err.Error() != "the project stopped by itself with code -1" {
		t.Errorf("got %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	r.alone()
	if got := r.log.String(); !strings.HasPrefix(got, "a note before it is ready\n{") {
		t.Errorf("log %q", got)
	}
}

// A supervisor that is killed takes everything with it, whenever that is.
func TestKilledSupervisor(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("needs Linux: elsewhere nothing tells a child that its parent is gone")
	}
	for _, hanging := range []string{"", "orders", "gateway"} {
		t.Run("hanging "+hanging, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			if hanging != "" {
				r.tell("hang-"+hanging, "")
			}
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), "STANDIN=supervisor", "STANDIN_DIR="+r.dir)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				for _, pid := range r.pids("start") { // there are none unless the test failed
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			})
			if hanging != "" {
				await(r.dir, "start", hanging)
			} else {
				var processes []Process
				if err := json.NewDecoder(bufio.NewReader(out)).Decode(&processes); err != nil || len(processes) != 3 {
					t.Fatalf("processes %v: %v", processes, err)
				}
			}
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait() // it was killed
			deadline := time.Now().Add(30 * time.Second)
			for _, pid := range r.pids("start") {
				for syscall.Kill(pid, 0) == nil {
					if time.Now().After(deadline) {
						t.Fatalf("process %d is left", pid)
					}
					time.Sleep(5 * time.Millisecond) // there is no event for a stranger's end
				}
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := backoff{first: 100 * time.Millisecond, max: 5 * time.Second, calm: 10 * time.Second}
	var got []string
	for _, lived := range []time.Duration{time.Second, 0, 0, 0, 0, 0, 0, 0, 0, 9 * time.Second, 10 * time.Second, 0, time.Minute} {
		got = append(got, b.next(lived).String())
	}
	if want := "0s 100ms 200ms 400ms 800ms 1.6s 3.2s 5s 5s 5s 0s 100ms 0s"; strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestOrdinal(t *testing.T) {
	t.Parallel()
	var got []string
	for _, n := range []int{1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 101, 111} {
		got = append(got, ordinal(n))
	}
	if want := "1st 2nd 3rd 4th 10th 11th 12th 13th 21st 22nd 101st 111th"; strings.Join(got, " ") != want {
		t.Errorf("got %s", strings.Join(got, " "))
	}
}
