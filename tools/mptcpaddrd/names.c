// SPDX-License-Identifier: MIT
/*
 * names.c - the names by which programs find the broker
 *
 * Anybody can bind an abstract name, and only its holder can release it. So the broker
 * also listens at a path in a directory of root's, where programs look if the abstract
 * name does not answer, or not as root. Those that do not see that directory (chroot,
 * containers) are served again once the name is free.
 */
#include "broker.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"
#include "shim/manager/sockets.h"

#include <fcntl.h>
#include <sys/stat.h>

#define BACKLOG	 4096
#define LAZY	 16 /* the next one uses another socket, and wakes us */
#define RETRY_MS 1000

/* Only root may be able to make a socket there. Return: 0; -errno. */
static int make_directory(void)
{
	struct stat st;

	if (mkdir(BROKER_DIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (lstat(BROKER_DIR, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022)
		       ? 0
		       : -EPERM;
}

static int bind_socket_path(struct broker *b)
{
	const int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = make_directory(), fd;

	if (r == 0 && (any < 0 || !unix_name_broker(any, b->path)))
		r = -errno;
	if (any >= 0)
		close(any);
	if (r < 0)
		return r;
	fd = local_socket(b->path, false);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EAGAIN)
		return -EADDRINUSE; /* it answers */
	unlink(b->path);	    /* a broker that was killed has left it */
	fd = local_socket(b->path, true);
	if (fd >= 0)
		chmod(b->path, 0666);
	return fd;
}

int names_bind(struct broker *b)
{
	uid_t holder;

	b->path_fd = bind_socket_path(b);
	b->name_fd = local_socket(BROKER_NAME, true);
	b->lazy_fd = local_socket(BROKER_LAZY, true);
	holder = b->name_fd == -EADDRINUSE ? unix_name_owner(BROKER_NAME) : 1;
	if (b->path_fd == -EADDRINUSE || holder == 0)
		return -EADDRINUSE;
	if (b->path_fd < 0)
		log_warning("no socket in " BROKER_DIR
			    ": %s; only the abstract name " BROKER_NAME
			    " leads to this broker",
			    strerror(-b->path_fd));
	if (b->name_fd == -EADDRINUSE)
		log_warning("user %d holds the socket name " BROKER_NAME
			    ": only programs that see " BROKER_DIR " find this broker; "
			    "end the process that \"ss -xlp\" shows",
			    (int)holder);
	return b->path_fd < 0 && b->name_fd < 0 ? b->name_fd : 0;
}

int names_listen(struct broker *b)
{
	if ((b->path_fd >= 0 && listen(b->path_fd, BACKLOG) < 0) ||
	    (b->name_fd >= 0 && listen(b->name_fd, BACKLOG) < 0))
		return -errno;
	if (b->lazy_fd >= 0)
		listen(b->lazy_fd, LAZY); /* without it, programs use the others */
	return 0;
}

void names_retry(struct broker *b)
{
	if (b->name_fd >= 0 || clock_ms() < b->name_ms)
		return;
	b->name_ms = clock_ms() + RETRY_MS;
	b->name_fd = local_socket_listen(BROKER_NAME, BACKLOG);
	if (b->name_fd >= 0)
		log_info("the socket name " BROKER_NAME " is free again, and taken");
}

int names_timeout(const struct broker *b)
{
	return b->name_fd >= 0 ? -1 : clock_left_ms(b->name_ms);
}

void names_remove(const struct broker *b)
{
	if (b->path_fd >= 0)
		unlinkat(AT_FDCWD, b->path, 0);
}
