// SPDX-License-Identifier: MIT
/*
 * inject.c - faults in the manager thread of a program, or in mptcpaddrd
 *
 * Preloaded with FAULTS=SEED[:UNTIL]. The seed chooses which kinds of calls fail, how
 * often, from when on and how many times; none after UNTIL milliseconds of the steady
 * clock. Netlink messages are lost, repeated, held back and swapped besides. What the
 * kernel never does is left out: a dump without its middle, a request sent twice.
 *
 * Only libc is used, and no system call that mptcpaddrd's filter kills.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT	__attribute__((visibility("default")))
#define FDS_MAX 1024

enum kind {
	ALLOC = 1,
	OPEN = 2, /* descriptors and socket options */
	SEND = 4,
	RECV = 8,
	EVENTS = 16,
	WAIT = 32,
	FILES = 64,
	KINDS = 127,
};

static struct {
	bool all;  /* threads: mptcpaddrd; else only others than the program's first */
	bool late; /* not before listen() */
	uint64_t state;
	unsigned int kinds, every, skip, left;
	int64_t until_ms;
} faults;

static bool is_netlink[FDS_MAX];

/* A message that comes later, or again. */
static struct held {
	int fd; /* 0: none */
	size_t len;
	char data[32768];
} held;

/* Other libraries' constructors call before ours runs. */
#define REAL(name)                                                          \
	({                                                                  \
		static __typeof__(name) *real_;                             \
		if (!real_)                                                 \
			real_ = (__typeof__(real_))dlsym(RTLD_NEXT, #name); \
		real_;                                                      \
	})

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint32_t draw(uint32_t n)
{
	faults.state = faults.state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(faults.state >> 33) % n;
}

static bool is_subject(void)
{
	static __thread int known __attribute__((tls_model("initial-exec")));

	if (!faults.every)
		return false; /* before inject_start() */
	if (!known)
		known = faults.all || REAL(syscall)(SYS_gettid) != getpid() ? 1 : 2;
	return known == 1;
}

static bool strikes(enum kind kind)
{
	if (faults.late || !faults.left || !(faults.kinds & kind) || !is_subject())
		return false;
	if (faults.skip) {
		faults.skip--;
		return false;
	}
	if (draw(faults.every))
		return false;
	if (now_ms() > faults.until_ms)
		faults.left = 0;
	else
		faults.left--;
	return faults.left;
}

static int fail(const int *errors, unsigned int n)
{
	errno = errors[draw(n)];
	return -1;
}
#define FAIL(...)                          \
	fail((const int[]){ __VA_ARGS__ }, \
	     sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

__attribute__((constructor)) static void inject_start(void)
{
	const char *text = getenv("FAULTS"), *colon;
	int i;

	if (!text)
		return;
	colon = strchr(text, ':');
	faults.all = getenv("FAULTS_ALL");
	faults.state = strtoull(text, NULL, 10) * 2 + 1;
	for (i = 0; i < 8; i++)
		draw(2);
	faults.kinds = 1 + draw(KINDS);
	faults.every = 1 + draw(1 << draw(7));
	faults.skip = draw(2) ? draw(1 << draw(10)) : 0;
	faults.until_ms = colon ? atoll(colon + 1) : INT64_MAX;
	faults.left = 2 + draw(40);
	faults.late = faults.all && draw(4);
}

/* libseccomp's seccomp_load() does not survive it. */
static bool is_spared(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && strstr(info.dli_fname, "libseccomp");
}

#define OUT_OF_MEMORY \
	(strikes(ALLOC) && !is_spared(__builtin_return_address(0)) && FAIL(ENOMEM))

EXPORT void *malloc(size_t size)
{
	return OUT_OF_MEMORY ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return OUT_OF_MEMORY ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	return OUT_OF_MEMORY ? NULL : __libc_realloc(p, size);
}

static bool knows(int fd)
{
	return fd >= 0 && fd < FDS_MAX && is_netlink[fd] && is_subject();
}

static int remember(int fd, int domain)
{
	if (fd >= 0 && fd < FDS_MAX && is_subject())
		is_netlink[fd] = domain == AF_NETLINK;
	return fd;
}

EXPORT int socket(int domain, int type, int protocol)
{
	if (strikes(OPEN))
		return FAIL(EMFILE, ENFILE, ENOMEM, ENOBUFS);
	return remember(REAL(socket)(domain, type, protocol), domain);
}

EXPORT int close(int fd)
{
	remember(fd, -1);
	return REAL(close)(fd);
}

EXPORT int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return strikes(OPEN) ? FAIL(EADDRINUSE, ENOMEM) : REAL(bind)(fd, addr, len);
}

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return strikes(OPEN) ? FAIL(ENOMEM, ENOBUFS)
			     : REAL(setsockopt)(fd, level, name, value, len);
}

EXPORT int listen(int fd, int backlog)
{
	if (is_subject())
		faults.late = false;
	return REAL(listen)(fd, backlog);
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	return strikes(OPEN) ? FAIL(EMFILE, ENFILE, ENOMEM, ECONNABORTED, EINTR)
			     : REAL(accept4)(fd, addr, len, flags);
}

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return strikes(FILES) ? FAIL(EMFILE, ENFILE, ENOMEM)
			      : REAL(open)(path, flags, mode);
}

EXPORT ssize_t write(int fd, const void *data, size_t len)
{
	if (strikes(FILES) && fd > 2)
		return FAIL(ENOSPC, EIO, EINTR);
	return REAL(write)(fd, data, len);
}

EXPORT int poll(struct pollfd *fds, nfds_t n, int ms)
{
	if (n && strikes(WAIT)) {
		if (draw(3))
			return draw(2) ? FAIL(EINTR, ENOMEM) : 0;
		REAL(poll)(NULL, 0, draw(10));
	}
	return REAL(poll)(fds, n, ms);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	return strikes(WAIT) ? FAIL(EINTR) : REAL(epoll_wait)(fd, events, max, ms);
}

static bool fails_to_send(int fd, ssize_t len, ssize_t *ret)
{
	if (!knows(fd) || !strikes(SEND))
		return false;
	if (!draw(3))
		*ret = len; /* lost */
	else
		*ret = FAIL(ENOBUFS, ENOMEM, EINTR);
	return true;
}

EXPORT ssize_t send(int fd, const void *data, size_t len, int flags)
{
	ssize_t r;

	return fails_to_send(fd, len, &r) ? r : REAL(send)(fd, data, len, flags);
}

static bool is_middle(const void *data, ssize_t len)
{
	const struct nlmsghdr *msg = data;

	return len >= (ssize_t)sizeof(*msg) && msg->nlmsg_flags & NLM_F_MULTI &&
	       msg->nlmsg_type != NLMSG_DONE;
}

static void hold_message(int fd, const void *data, ssize_t len)
{
	if (len <= 0 || len > (ssize_t)sizeof(held.data) || held.fd)
		return;
	held.fd = fd;
	held.len = len;
	memcpy(held.data, data, len);
}

static ssize_t take_held(void *data, size_t size)
{
	const size_t len = held.len < size ? held.len : size;

	memcpy(data, held.data, len);
	held.fd = 0;
	return (ssize_t)len;
}

static ssize_t recv_wrongly(int fd, void *data, size_t size, int flags)
{
	const unsigned int how = draw(5);
	ssize_t n;

	if (how == 0)
		return FAIL(ENOBUFS, ENOMEM, EINTR);
	n = REAL(recv)(fd, data, size, flags);
	if (n <= 0)
		return n;
	if (how == 1) { /* twice */
		hold_message(fd, data, n);
		return n;
	}
	if (is_middle(data, n))
		return n;
	if (how == 2) /* lost */
		return REAL(recv)(fd, data, size, flags);
	hold_message(fd, data, n);
	if (how == 3) /* late */
		return FAIL(EAGAIN);
	n = REAL(recv)(fd, data, size, flags); /* out of order */
	return n > 0 ? n : take_held(data, size);
}

EXPORT ssize_t recv(int fd, void *data, size_t size, int flags)
{
	if (!knows(fd))
		return REAL(recv)(fd, data, size, flags);
	if (held.fd == fd && !draw(2))
		return take_held(data, size);
	return strikes(RECV) ? recv_wrongly(fd, data, size, flags)
			     : REAL(recv)(fd, data, size, flags);
}

static void copy_message(struct mmsghdr *to, const void *data, size_t len)
{
	const size_t size = to->msg_hdr.msg_iov[0].iov_len;

	to->msg_len = len < size ? len : size;
	memcpy(to->msg_hdr.msg_iov[0].iov_base, data, to->msg_len);
}

static void swap_messages(struct mmsghdr *a, struct mmsghdr *b)
{
	static char data[32768];
	const size_t len = a->msg_len < sizeof(data) ? a->msg_len : sizeof(data);

	memcpy(data, a->msg_hdr.msg_iov[0].iov_base, len);
	copy_message(a, b->msg_hdr.msg_iov[0].iov_base, b->msg_len);
	copy_message(b, data, len);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int max, int flags,
		    struct timespec *timeout)
{
	int n = REAL(recvmmsg)(fd, msgs, max, flags, timeout);
	struct mmsghdr *one;

	if (held.fd == fd && n < (int)max && n >= -1) {
		n = n < 0 ? 0 : n;
		copy_message(&msgs[n++], held.data, held.len);
		held.fd = 0;
		return n;
	}
	if (n <= 0 || !strikes(EVENTS))
		return n;
	one = &msgs[draw(n)];
	switch (draw(5)) {
	case 0: /* what was read is lost, as the kernel says it */
		return FAIL(ENOBUFS);
	case 1:
		return FAIL(ENOMEM);
	case 2: /* twice */
		if (n < (int)max)
			copy_message(&msgs[n++], one->msg_hdr.msg_iov[0].iov_base,
				     one->msg_len);
		return n;
	case 3: /* late */
		hold_message(fd, msgs[n - 1].msg_hdr.msg_iov[0].iov_base,
			     msgs[n - 1].msg_len);
		if (--n)
			return n;
		return FAIL(EAGAIN);
	default:
		swap_messages(one, &msgs[draw(n)]);
		return n;
	}
}

/* The preload library's way to libc's system calls. */
EXPORT long syscall(long number, ...)
{
	long a[6];
	ssize_t r;
	va_list ap;
	int i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_socket && strikes(OPEN))
		return FAIL(EMFILE, ENFILE, ENOMEM, ENOBUFS);
	if ((number == SYS_bind || number == SYS_setsockopt) && strikes(OPEN))
		return FAIL(EADDRINUSE, ENOMEM);
	if (number == SYS_sendto && fails_to_send((int)a[0], a[2], &r))
		return r;
	if (number == SYS_recvfrom && knows((int)a[0]) && strikes(RECV))
		return recv_wrongly((int)a[0], (void *)a[1], a[2], (int)a[3]);
	r = REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number == SYS_socket)
		remember((int)r, (int)a[0]);
	return r;
}
