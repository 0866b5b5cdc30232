/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - the IDs of control groups
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* cgroup_is() - whether @id is the cgroup at @path ("/system.slice/caddy.service") now.
 */
bool cgroup_is(uint64_t id, const char *path);

/* cgroup_is_unit() - likewise of the systemd unit @unit, in whatever slice it runs. */
bool cgroup_is_unit(uint64_t id, const char *unit);
