// SPDX-License-Identifier: MIT
/*
 * flap.c - a transfer survives one of its three interfaces going down and up again
 *
 * A real curl under the shim, a real web server, 100 MB over three links of equal rate,
 * which is lifted once the interface has gone ten times. Each time data must flow over
 * it again, and the file that curl writes must keep growing. An upload may stall: the
 * client's kernel decides when it resends. After a longer absence data flows again sooner
 * than with endpoints of the kernel, which waits for a retransmission timer.
 */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"

#define PATHS	  3
#define FLAPS	  10
#define SIZE	  (100 << 20)
#define RATE	  "10mbit" /* 30 s for SIZE */
#define SAMPLE_MS 50
#define STALL_MAX 20 /* samples: 1 s; a busy machine gets up to three times as many */
#define DOWN_MS	  400
#define ABSENT_MS 4000
#define BACK_MS	  1000	 /* times machine_load() */
#define USED	  100000 /* bytes that show that a link is in use */

struct flap {
	struct world w;
	enum net_side side;
	bool upload;
	struct proc nginx, curl;
	char dir[64], sent[80], got[80], pool[80];
	char grows[80]; /* `got`, or the server's temporary file */
	off_t size;
	int idle;  /* samples since it grew */
	int stall; /* their maximum */
	int load;  /* the highest machine_load(), at most 3 */
};

static void put_text(const struct flap *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "we");
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
}

/* No two blocks are alike, so that a swapped block is noticed. */
static void make_file(const struct flap *f)
{
	static uint64_t block[8192];
	FILE *file = fopen(f->sent, "we");
	uint64_t x = 88172645463325252u;

	cr_assert(file, "%s: %s", f->sent, strerror(errno));
	for (size_t done = 0; done < SIZE; done += sizeof(block)) {
		for (size_t i = 0; i < sizeof(block) / sizeof(block[0]); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			block[i] = x;
		}
		cr_assert_eq(fwrite(block, sizeof(block), 1, file), 1);
	}
	cr_assert_eq(fclose(file), 0);
}

/* @action: "add" or "del" the limit of the sender's links. */
static void shape(const struct flap *f, const char *action)
{
	for (int i = 1; i <= PATHS; i++) {
		char dev[8];
		const char *const argv[] = { "tc",   "qdisc",	action, "dev", dev,
					     "root", "tbf",	"rate", RATE,  "burst",
					     "64kb", "latency", "50ms", NULL };

		snprintf(dev, sizeof(dev), "%c%d", f->upload ? 'c' : 's', i);
		cr_assert_eq(
			proc_run(f->upload ? &f->w.client : &f->w.server, NULL, argv), 0);
	}
}

static void start_server(struct flap *f)
{
	static const char conf[] =
		"user root root;\ndaemon off;\nmaster_process off;\npid nginx.pid;\n"
		"error_log error.log;\nevents {}\nhttp { access_log off; sendfile on;\n"
		"client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
		"uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
		"client_max_body_size 0;\n"
		"server { listen 80; root .; dav_methods PUT; } }\n";
	const char *const argv[] = {
		"/usr/sbin/nginx", "-e", "error.log", "-p", f->dir, "-c",
		"nginx.conf",	   NULL
	};
	const struct endpoint_spec signals[] = { { "10.0.2.1", EP_SIGNAL, .id = 2 },
						 { "10.0.3.1", EP_SIGNAL, .id = 3 } };
	struct shim_env shim;

	cr_assert_eq(host_path_manager(&f->w.server, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&f->w.server, 8, 8), 0);
	cr_assert_eq(endpoint_add(&f->w.server, &signals[0]), 0);
	cr_assert_eq(endpoint_add(&f->w.server, &signals[1]), 0);
	put_text(f, "nginx.conf", conf);
	make_file(f);
	/* Preloaded for MPTCP; its kernel is the path manager. */
	cr_assert_eq(proc_start(&f->nginx, &f->w.server, argv, shim_env(&shim, NULL)), 0);
	cr_assert(WAIT_FOR(host_listens(&f->w.server, 80)), "%s", proc_errors(&f->nginx));
}

static int paths(const struct flap *f)
{
	struct subflows s = { 0 };
	int n = 0;

	cr_assert_eq(subflows_read(&f->w.client, &s), 0);
	for (size_t i = 0; i < s.count; i++)
		n += s.at[i].state == 1; /* TCP_ESTABLISHED */
	subflows_free(&s);
	return n;
}

static void set_kernel_endpoints(const struct flap *f)
{
	cr_assert_eq(host_path_manager(&f->w.client, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&f->w.client, 8, 8), 0);
	for (int i = 1; i <= PATHS; i++) {
		struct endpoint_spec e = { .flags = EP_LAMINAR };
		char addr[16];

		snprintf(addr, sizeof(addr), "10.0.%d.2", i);
		e.addr = addr;
		cr_assert_eq(endpoint_add(&f->w.client, &e), 0);
	}
}

static void start_client(struct flap *f)
{
	const char *const argv[] = { "curl",
				     "-q",
				     "-sS",
				     "--noproxy",
				     "*",
				     "--max-time",
				     "200",
				     f->upload ? "-T" : "-o",
				     f->upload ? f->sent : f->got,
				     f->upload ? "http://10.0.1.1/got"
					       : "http://10.0.1.1/sent",
				     NULL };
	struct shim_env shim;

	if (f->side == FROM_KERNEL)
		set_kernel_endpoints(f);
	else
		cr_assert_eq(host_path_manager(&f->w.client, PM_USERSPACE), 0);
	put_text(f, "curl.conf",
		 "[pool]\nendpoint = 10.0.1.2 laminar\nendpoint = 10.0.2.2 laminar\n"
		 "endpoint = 10.0.3.2 laminar\n");
	shim_env(&shim, f->side == FROM_POOL ? f->pool : NULL);
	shim.list[shim.count++] = "MPTCPADDR_LOG=debug";
	cr_assert_eq(proc_start(&f->curl, &f->w.client, argv, shim.list), 0);
	cr_assert(WAIT_FOR(paths(f) == PATHS), "%d paths: %s", paths(f),
		  proc_errors(&f->curl));
}

static void flap_open(struct flap *f, enum net_side side, bool upload)
{
	NEED_SANDBOX();
	memset(f, 0, sizeof(*f));
	f->side = side;
	f->upload = upload;
	cr_assert_eq(world_open(&f->w, PATHS), 0);
	snprintf(f->dir, sizeof(f->dir), "/run/flap-%d", getpid());
	cr_assert_eq(mkdir(f->dir, 0755), 0);
	snprintf(f->sent, sizeof(f->sent), "%s/sent", f->dir);
	snprintf(f->got, sizeof(f->got), "%s/got", f->dir);
	snprintf(f->pool, sizeof(f->pool), "%s/curl.conf", f->dir);
	snprintf(f->grows, sizeof(f->grows), upload ? "%s/tmp/0000000001" : "%s/got",
		 f->dir);
	shape(f, "add");
	start_server(f);
	start_client(f);
}

/* Stalls are counted in samples: a busy machine delays these as it delays curl. */
static void sample(struct flap *f)
{
	struct stat st = { 0 };

	nap_ms(SAMPLE_MS);
	stat(f->grows, &st);
	f->idle = st.st_size > f->size ? 0 : f->idle + 1;
	if (f->idle > f->stall)
		f->stall = f->idle;
	f->size = st.st_size;
	if (f->load < machine_load())
		f->load = machine_load() < 3 ? machine_load() : 3;
}

static void sample_for(struct flap *f, int ms)
{
	int64_t until = now_ms() + ms;

	while (now_ms() < until)
		sample(f);
}

/* Bytes that the client has received, or sent, there. */
static long long carried(const struct flap *f, int link)
{
	char line[512], dev[8];
	long long in, out, bytes = -1;
	FILE *file;

	snprintf(dev, sizeof(dev), "c%d:", link);
	cr_assert_eq(host_enter(&f->w.client), 0);
	file = fopen("/proc/thread-self/net/dev", "re");
	cr_assert(file);
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, dev);

		if (at && sscanf(at + strlen(dev),
				 "%lld %*d %*d %*d %*d %*d %*d %*d %lld", &in, &out) == 2)
			bytes = f->upload ? out : in;
	}
	fclose(file);
	return bytes;
}

/* Return: after how many milliseconds data flows again. */
static int flap_link(struct flap *f, int link, int down_ms)
{
	char text[160];
	long long before;
	int64_t back;

	snprintf(text, sizeof(text), "link set c%d down\n", link);
	cr_assert_eq(host_ip(&f->w.client, text), 0);
	sample_for(f, down_ms);
	/* The kernel forgets routes of a link that is down. */
	snprintf(text, sizeof(text),
		 "link set c%d up\nroute add default via 10.0.%d.1 dev c%d metric %d\n",
		 link, link, link, 10 * link);
	before = carried(f, link);
	cr_assert_eq(host_ip(&f->w.client, text), 0);
	back = now_ms();
	while (paths(f) < PATHS || carried(f, link) < before + USED) {
		sample(f);
		if (now_ms() - back < EFFECT_MS && f->curl.pid &&
		    proc_wait(&f->curl, 0) == -ETIMEDOUT)
			continue;
		cr_assert_fail(
			"link %d is not used again after %d ms: %d paths, %lld bytes; "
			"%ld bytes in all; %s",
			link, (int)(now_ms() - back), paths(f), carried(f, link) - before,
			(long)f->size, proc_errors(&f->curl));
	}
	back = now_ms() - back;
	cr_log_info("link %d is used again after %d ms", link, (int)back);
	return back;
}

static void flap_close(struct flap *f)
{
	const char *const argv[] = { "cmp", f->sent, f->got, NULL };
	const char *const rm[] = { "rm", "-r", f->dir, NULL };
	int64_t until = now_ms() + EFFECT_MS;

	shape(f, "del");
	while (proc_wait(&f->curl, 0) == -ETIMEDOUT && now_ms() < until)
		sample(f);
	cr_assert_eq(proc_wait(&f->curl, 0), 0, "curl: %s", proc_errors(&f->curl));
	cr_assert_eq(proc_run(&f->w.client, NULL, argv), 0, "the file is not the same");
	cr_log_info("longest stall: %d samples", f->stall);
	if (!f->upload)
		cr_assert_leq(f->stall, STALL_MAX * f->load,
			      "no growth in %d samples: %s", f->stall,
			      proc_errors(&f->curl));
	proc_end(&f->curl);
	proc_end(&f->nginx);
	cr_assert_eq(proc_run(&f->w.client, NULL, rm), 0);
	world_close(&f->w);
}

static void transfer_while_flapping(int link, bool upload)
{
	struct flap f;

	flap_open(&f, FROM_POOL, upload);
	sample_for(&f, 300);
	for (int i = 0; i < FLAPS; i++)
		flap_link(&f, link, DOWN_MS);
	flap_close(&f);
}

Test(flap, download_survives_its_first_interface_going_ten_times)
{
	transfer_while_flapping(1, false);
}

Test(flap, download_survives_its_second_interface_going_ten_times)
{
	transfer_while_flapping(2, false);
}

Test(flap, download_survives_its_last_interface_going_ten_times)
{
	transfer_while_flapping(3, false);
}

Test(flap, upload_survives_its_first_interface_going_ten_times)
{
	transfer_while_flapping(1, true);
}

static int back_after_absence(enum net_side side, bool upload, int *ret_load)
{
	struct flap f;
	int ms;

	flap_open(&f, side, upload);
	sample_for(&f, 300);
	ms = flap_link(&f, 1, ABSENT_MS);
	flap_close(&f);
	*ret_load = f.load;
	return ms;
}

static void link_is_back_sooner_than_with_the_kernel(bool upload)
{
	bool laminar = false;
	int load, kernel, pool;
	struct world w;

	NEED_SANDBOX();
	cr_assert_eq(world_open(&w, 1), 0);
	cr_assert_eq(endpoint_laminar_known(&w.client, &laminar), 0);
	world_close(&w);
	if (!laminar)
		SKIP("this kernel has no laminar endpoints");
	kernel = back_after_absence(FROM_KERNEL, upload, &load);
	pool = back_after_absence(FROM_POOL, upload, &load);
	cr_assert(pool <= BACK_MS * load && pool <= kernel + BACK_MS / 2 * load,
		  "after %d ms, with the kernel's endpoints after %d", pool, kernel);
}

Test(flap, download_over_a_link_that_is_back_goes_on_sooner_than_with_the_kernel)
{
	link_is_back_sooner_than_with_the_kernel(false);
}

Test(flap, upload_over_a_link_that_is_back_goes_on_sooner_than_with_the_kernel)
{
	link_is_back_sooner_than_with_the_kernel(true);
}
