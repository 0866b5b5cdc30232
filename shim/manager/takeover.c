// SPDX-License-Identifier: MIT
/*
 * takeover.c - decide which child takes over the connections of a process that ends
 *
 * A manager and those of forked children share one word of memory: the ID of the thread
 * that manages. It is on that thread's robust list: the kernel marks it when the thread
 * ends, however that happens, also by exec(). A pidfd of the thread wakes the others,
 * and the first to replace the word takes over. So at most one process manages a
 * connection at any time, and nothing has a name that other users could hold or watch.
 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREAD_FLAG O_EXCL /* PIDFD_THREAD, Linux 6.9 */
#define CLAIM_TRIES 8

/* Outlives the manager, and is never unloaded. The kernel looks for the word at this
 * distance from `entry`. */
static struct {
	struct robust_list_head head;
	struct robust_list entry;
} robust;

static uint32_t own_id(void)
{
	return syscall(SYS_gettid);
}

/* glibc's own list of this thread is empty: the manager has no robust mutex. */
static void mark_when_ended(struct handover_takeover *shared)
{
	robust.head.list.next = &robust.entry;
	robust.entry.next = &robust.head.list;
	robust.head.futex_offset = (char *)&shared->owner - (char *)&robust.entry;
	syscall(SYS_set_robust_list, &robust.head, sizeof(robust.head));
}

/* Thread IDs mean nothing in another PID namespace. 0: unknown. */
static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 ? 0 : st.st_ino;
}

void takeover_open(struct takeover *takeover, struct handover *h)
{
	struct handover_takeover *shared;

	*takeover = (struct takeover){ .watch = -1 };
	if (!h->takeover_pid) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		h->takeover = shared == MAP_FAILED ? NULL : shared;
		h->takeover_ns = pid_namespace();
	}
	takeover->shared = h->takeover;
	takeover->foreign_ns = h->takeover_ns != pid_namespace();
	if (!h->takeover)
		return;
	mark_when_ended(h->takeover);
	if (!h->takeover_pid) {
		atomic_store(&h->takeover->confirmed, own_id());
		atomic_store(&h->takeover->owner, own_id());
	}
}

/* Whether the kernel takes commands from us; a worker may have dropped that right. */
static bool takeover_is_able(void)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) < 0 ||
	       data[0].effective & 1u << CAP_NET_ADMIN;
}

static bool takeover_claim(struct takeover *takeover, uint32_t seen)
{
	if (!takeover_is_able()) {
		takeover->unable = takeover->polls = true;
		return false;
	}
	return atomic_compare_exchange_strong(&takeover->shared->owner, &seen, own_id());
}

/* Return: whether the thread @id has ended, if the kernel has not marked it. */
static bool watch_owner(struct takeover *takeover, uint32_t id)
{
	takeover->watch =
		takeover->foreign_ns ? -EXDEV : syscall(SYS_pidfd_open, id, THREAD_FLAG);
	if (takeover->watch == -1)
		takeover->watch = -errno;
	/* Until it is sure that it keeps the connections. */
	takeover->polls =
		takeover->watch < 0 || atomic_load(&takeover->shared->confirmed) != id;
	return takeover->watch == -ESRCH;
}

bool takeover_follow(struct takeover *takeover)
{
	struct handover_takeover *shared = takeover->shared;
	uint32_t seen;
	int i;

	takeover->polls = false;
	for (i = 0; shared && i < CLAIM_TRIES; i++) {
		if (takeover->watch >= 0)
			close(takeover->watch);
		takeover->watch = -1;
		seen = atomic_load(&shared->owner);
		if (!(seen & FUTEX_TID_MASK) || watch_owner(takeover, seen)) {
			takeover->polls = false;
			if (takeover_claim(takeover, seen))
				return true;
			if (takeover->unable)
				return false;
		} else if (atomic_load(&shared->owner) == seen) {
			return false; /* the pidfd is of this thread, which lives */
		}
	}
	takeover->polls = true;
	return false;
}

bool takeover_confirm(struct takeover *takeover)
{
	if (takeover_is_able()) {
		atomic_store(&takeover->shared->confirmed, own_id());
		return true;
	}
	takeover_close(takeover); /* the others poll it, and claim it */
	takeover->unable = takeover->polls = true;
	return false;
}

void takeover_close(struct takeover *takeover)
{
	uint32_t own = own_id();

	if (takeover->watch >= 0)
		close(takeover->watch);
	takeover->watch = -1;
	if (takeover->shared)
		atomic_compare_exchange_strong(&takeover->shared->owner, &own, 0);
}
