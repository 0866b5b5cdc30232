// SPDX-License-Identifier: MIT
/*
 * download.c - a real curl that downloads over three paths from a real web server
 */
#include "download.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "subflow.h"
#include "until.h"

#define PORT "80"
#define SIZE (80 << 20)

/* SIZE over three links takes 2 to 3 s, or longer than any test. */
#define FAST "100mbit"
#define SLOW "6mbit"

static const char url[] = "http://10.0.1.1:" PORT "/file";

static const char nginx_conf[] =
	"user root root;\ndaemon off;\nmaster_process off;\npid nginx.pid;\n"
	"error_log error.log;\nevents {}\nhttp { access_log off; sendfile on;\n"
	"client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
	"uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
	"server { listen " PORT "; root www; } }\n";

static void put(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

/* A sparse file. */
static void make_file(const char *dir)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/www", dir);
	cr_assert_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/www/file", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert(fd >= 0 && ftruncate(fd, SIZE) == 0);
	close(fd);
}

static void shape(const struct download *d, const char *rate)
{
	char dev[8];

	for (int i = 1; i <= PATHS; i++) {
		snprintf(dev, sizeof(dev), "s%d", i);
		const char *const argv[] = { "tc",    "qdisc", "replace", "dev", dev,
					     "root",  "tbf",   "rate",	  rate,	 "burst",
					     "128kb", "limit", "512kb",	  NULL };

		cr_assert_eq(proc_run(&d->w.server, NULL, argv), 0);
	}
}

static void tune(const struct download *d)
{
	char text[64];

	snprintf(text, sizeof(text), "4096 131072 %d", RMEM_MAX);
	cr_assert_eq(host_sysctl(&d->w.client, "net/ipv4/tcp_rmem", text), 0);
	cr_assert_eq(host_sysctl(&d->w.server, "net/ipv4/tcp_wmem", text), 0);
	cr_assert_eq(host_path_manager(&d->w.client, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&d->w.server, 8, 8), 0);
	cr_assert_eq(
		endpoint_add(&d->w.server, &(struct endpoint_spec){ .addr = "10.0.2.1",
								    .flags = EP_SIGNAL,
								    .id = 12 }),
		0);
	cr_assert_eq(
		endpoint_add(&d->w.server, &(struct endpoint_spec){ .addr = "10.0.3.1",
								    .flags = EP_SIGNAL,
								    .id = 13 }),
		0);
}

static void start_nginx(struct download *d)
{
	const char *const argv[] = {
		"/usr/sbin/nginx", "-e", "error.log", "-p", d->dir, "-c",
		"nginx.conf",	   NULL
	};
	struct shim_env shim;

	put(d->dir, "nginx.conf", nginx_conf);
	put(d->dir, "none.conf", "[app]\nmptcp = yes\n");
	make_file(d->dir);
	snprintf(d->pool, sizeof(d->pool), "%s/none.conf", d->dir);
	cr_assert_eq(proc_start(&d->nginx, &d->w.server, argv, shim_env(&shim, d->pool)),
		     0);
	cr_assert(WAIT_FOR(host_listens(&d->w.server, atoi(PORT))), "nginx: %s",
		  proc_errors(&d->nginx));
}

void download_open(struct download *d)
{
	const char *const argv[] = { "curl",
				     "-q",
				     "-sS",
				     "--noproxy",
				     "*",
				     "--max-time",
				     "200",
				     "-o",
				     d->file,
				     "-w",
				     "%{size_header} %{size_download}\n",
				     url,
				     NULL };

	memset(d, 0, sizeof(*d));
	cr_assert_eq(world_open(&d->w, PATHS), 0);
	shape(d, FAST);
	tune(d);
	snprintf(d->dir, sizeof(d->dir), "/run/download-%d", getpid());
	cr_assert_eq(mkdir(d->dir, 0755), 0);
	start_nginx(d);
	put(d->dir, "curl.conf",
	    "[pool]\nendpoint = 10.0.1.2 laminar\nendpoint = 10.0.2.2 laminar\n"
	    "endpoint = 10.0.3.2 laminar\n");
	snprintf(d->pool, sizeof(d->pool), "%s/curl.conf", d->dir);
	snprintf(d->file, sizeof(d->file), "%s/got", d->dir);
	memcpy(d->argv, argv, sizeof(argv));
	shim_env(&d->shim, d->pool);
}

void download_start(struct download *d)
{
	shape(d, SLOW);
	cr_assert_eq(proc_start(&d->curl, &d->w.client, d->argv, d->shim.list), 0);
	cr_assert(WAIT_FOR(download_paths(d) == PATHS), "%zu paths: %s",
		  download_paths(d), proc_errors(&d->curl));
}

size_t download_paths(const struct download *d)
{
	int joined = joined_count(&d->w.client);

	return joined > 0 ? joined + 1 : 0;
}

long long download_size(const char *output)
{
	long long header, body;

	cr_assert_eq(sscanf(output, "%lld %lld", &header, &body), 2, "%s", output);
	cr_assert_eq(body, SIZE);
	return header + body;
}

long long download_wait(struct download *d)
{
	long long size;
	char *output;
	int r;

	shape(d, FAST);
	r = proc_wait(&d->curl, EFFECT_MS);
	cr_assert_eq(r, 0, "curl: %d %s", r, proc_errors(&d->curl));
	output = proc_output(&d->curl);
	size = download_size(output);
	free(output);
	return size;
}

void download_close(struct download *d)
{
	proc_end(&d->curl);
	proc_end(&d->nginx);
	world_close(&d->w);
}
