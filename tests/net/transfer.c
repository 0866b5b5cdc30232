// SPDX-License-Identifier: MIT
/*
 * transfer.c - a real curl and a real web server move 100 MB over three links
 */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"

#define SIZE	  (100 << 20)
#define SAMPLE_MS 50

static void put_text(const struct transfer *t, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	file = fopen(path, "we");
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
}

/* No two blocks are alike, so that a swapped block is noticed. */
static void make_file(const struct transfer *t)
{
	static uint64_t block[8192];
	FILE *file = fopen(t->sent, "we");
	uint64_t x = 88172645463325252u;

	cr_assert(file, "%s: %s", t->sent, strerror(errno));
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
static void transfer_shape(const struct transfer *t, const char *action)
{
	for (int i = 1; i <= TRANSFER_PATHS; i++) {
		char dev[8];
		const char *const argv[] = { "tc",   "qdisc",	action, "dev",	 dev,
					     "root", "tbf",	"rate", t->rate, "burst",
					     "64kb", "latency", "50ms", NULL };

		snprintf(dev, sizeof(dev), "%c%d", t->upload ? 'c' : 's', i);
		cr_assert_eq(
			proc_run(t->upload ? &t->w.client : &t->w.server, NULL, argv), 0);
	}
}

static void start_server(struct transfer *t)
{
	static const char conf[] =
		"user root root;\ndaemon off;\nmaster_process off;\npid nginx.pid;\n"
		"error_log error.log;\nevents {}\nhttp { access_log off; sendfile on;\n"
		"client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
		"uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
		"client_max_body_size 0;\n"
		"server { listen 80; root .; dav_methods PUT; } }\n";
	const char *const argv[] = {
		"/usr/sbin/nginx", "-e", "error.log", "-p", t->dir, "-c",
		"nginx.conf",	   NULL
	};
	const struct endpoint_spec signals[] = { { "10.0.2.1", EP_SIGNAL, .id = 2 },
						 { "10.0.3.1", EP_SIGNAL, .id = 3 } };
	struct shim_env shim;

	cr_assert_eq(host_path_manager(&t->w.server, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&t->w.server, 8, 8), 0);
	cr_assert_eq(endpoint_add(&t->w.server, &signals[0]), 0);
	cr_assert_eq(endpoint_add(&t->w.server, &signals[1]), 0);
	put_text(t, "nginx.conf", conf);
	make_file(t);
	/* Preloaded for MPTCP; its kernel is the path manager. */
	cr_assert_eq(proc_start(&t->nginx, &t->w.server, argv, shim_env(&shim, NULL)), 0);
	cr_assert(WAIT_FOR(host_listens(&t->w.server, 80)), "%s", proc_errors(&t->nginx));
}

int transfer_paths(const struct transfer *t)
{
	struct subflows s = { 0 };
	int n = 0;

	cr_assert_eq(subflows_read(&t->w.client, &s), 0);
	for (size_t i = 0; i < s.count; i++)
		n += s.at[i].state == 1; /* TCP_ESTABLISHED */
	subflows_free(&s);
	return n;
}

static void set_kernel_endpoints(const struct transfer *t)
{
	cr_assert_eq(host_path_manager(&t->w.client, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&t->w.client, 8, 8), 0);
	for (int i = 1; i <= TRANSFER_PATHS; i++) {
		struct endpoint_spec e = { .flags = EP_LAMINAR };
		char addr[16];

		snprintf(addr, sizeof(addr), "10.0.%d.2", i);
		e.addr = addr;
		cr_assert_eq(endpoint_add(&t->w.client, &e), 0);
	}
}

static void start_client(struct transfer *t)
{
	const char *const argv[] = { "curl",
				     "-q",
				     "-sS",
				     "--noproxy",
				     "*",
				     "--max-time",
				     "600",
				     t->upload ? "-T" : "-o",
				     t->upload ? t->sent : t->got,
				     t->upload ? "http://10.0.1.1/got"
					       : "http://10.0.1.1/sent",
				     NULL };
	struct shim_env shim;

	if (t->side == FROM_KERNEL)
		set_kernel_endpoints(t);
	else
		cr_assert_eq(host_path_manager(&t->w.client, PM_USERSPACE), 0);
	put_text(t, "curl.conf",
		 "[pool]\nendpoint = 10.0.1.2 laminar\nendpoint = 10.0.2.2 laminar\n"
		 "endpoint = 10.0.3.2 laminar\n");
	shim_env(&shim, t->side == FROM_POOL ? t->pool : NULL);
	shim.list[shim.count++] = "MPTCPADDR_LOG=debug";
	cr_assert_eq(proc_start(&t->curl, &t->w.client, argv, shim.list), 0);
	cr_assert(WAIT_FOR(transfer_paths(t) == TRANSFER_PATHS), "%d paths: %s",
		  transfer_paths(t), proc_errors(&t->curl));
}

void transfer_open(struct transfer *t, enum net_side side, bool upload, const char *rate)
{
	memset(t, 0, sizeof(*t));
	t->side = side;
	t->upload = upload;
	t->rate = rate;
	cr_assert_eq(world_open(&t->w, TRANSFER_PATHS), 0);
	snprintf(t->dir, sizeof(t->dir), "/run/transfer-%d-%d", getpid(), side);
	cr_assert_eq(mkdir(t->dir, 0755), 0);
	snprintf(t->sent, sizeof(t->sent), "%s/sent", t->dir);
	snprintf(t->got, sizeof(t->got), "%s/got", t->dir);
	snprintf(t->pool, sizeof(t->pool), "%s/curl.conf", t->dir);
	snprintf(t->grows, sizeof(t->grows), upload ? "%s/tmp/0000000001" : "%s/got",
		 t->dir);
	transfer_shape(t, "add");
	start_server(t);
	start_client(t);
}

/* Stalls are counted in samples: a busy machine delays these as it delays curl. */
void transfer_sample(struct transfer *t)
{
	struct stat st = { 0 };

	nap_ms(SAMPLE_MS);
	stat(t->grows, &st);
	t->idle = st.st_size > t->size ? 0 : t->idle + 1;
	if (t->idle > t->stall)
		t->stall = t->idle;
	t->size = st.st_size;
	if (t->load < machine_load())
		t->load = machine_load() < 3 ? machine_load() : 3;
}

void transfer_follow(struct transfer *t, int ms)
{
	int64_t until = now_ms() + ms;

	while (now_ms() < until)
		transfer_sample(t);
}

/* Bytes that the client has received, or sent, there. */
long long transfer_carried(const struct transfer *t, int link)
{
	char line[512], dev[8];
	long long in, out, bytes = -1;
	FILE *file;

	snprintf(dev, sizeof(dev), "c%d:", link);
	cr_assert_eq(host_enter(&t->w.client), 0);
	file = fopen("/proc/thread-self/net/dev", "re");
	cr_assert(file);
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, dev);

		if (at && sscanf(at + strlen(dev),
				 "%lld %*d %*d %*d %*d %*d %*d %*d %lld", &in, &out) == 2)
			bytes = t->upload ? out : in;
	}
	fclose(file);
	return bytes;
}

void transfer_close(struct transfer *t)
{
	const char *const argv[] = { "cmp", t->sent, t->got, NULL };
	const char *const rm[] = { "rm", "-r", t->dir, NULL };
	int64_t until = now_ms() + EFFECT_MS;

	transfer_shape(t, "del");
	while (proc_wait(&t->curl, 0) == -ETIMEDOUT && now_ms() < until)
		transfer_sample(t);
	cr_assert_eq(proc_wait(&t->curl, 0), 0, "curl: %s", proc_errors(&t->curl));
	cr_assert_eq(proc_run(&t->w.client, NULL, argv), 0, "the file is not the same");
	cr_log_info("longest stall: %d samples", t->stall);
	proc_end(&t->curl);
	proc_end(&t->nginx);
	cr_assert_eq(proc_run(&t->w.client, NULL, rm), 0);
	world_close(&t->w);
}
