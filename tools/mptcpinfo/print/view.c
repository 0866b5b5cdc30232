// SPDX-License-Identifier: MIT
/*
 * view.c - the writer that the command line asks for
 */
#include "tools/mptcpinfo/options.h"
#include "writers.h"

int write_view(const struct options *o, const struct snapshot *snap, FILE *out)
{
	switch (o->format) {
	case FORMAT_JSON:
		return o->counters ? write_counters_json(snap, o->watch, out)
				   : write_json(snap, o->watch, out);
	case FORMAT_PROMETHEUS:
		return write_prometheus(snap, out);
	case FORMAT_TABLE:
		break;
	}
	return o->counters ? write_counters(snap, o->colour, out)
			   : write_table(snap, o->colour, out);
}
