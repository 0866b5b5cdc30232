# SPDX-License-Identifier: MIT
#
# table.awk - print the results of both path managers, and the reason for each difference
#
# Reads the file reasons, then lines of SIDE, GROUP, result, case and failed checks. Exits
# 1 if a case of the kernel's path manager fails with ours without a reason.

# passed of runs; failures are repeated in more than one run
function text(side, id)
{
	if (!runs[side, id])
		return "-"
	if (runs[side, id] == 1)
		return result[side, id]
	return passed[side, id] + 0 "/" runs[side, id]
}

# A pattern that begins with ">" is about checks that got more than expected.
function reason(name, check,	i, pattern, got, wanted)
{
	got = wanted = check
	sub(/.*: got /, "", got)
	sub(/.* expected /, "", wanted)
	for (i = 1; i <= reasons; i++) {
		pattern = reason_check[i]
		if (sub(/^>/, "", pattern) && got + 0 <= wanted + 0)
			continue
		if (name ~ "^(" reason_case[i] ")$" && check ~ pattern)
			return reason_text[i]
	}
}

FILENAME ~ /reasons$/ {
	if (/^#/ || !NF)
		next
	reason_case[++reasons] = $1
	reason_check[reasons] = $2
	reason_text[reasons] = $3
	next
}

{
	id = $2 FS $4
	if (!(id in seen)) {
		seen[id] = 1
		order[++cases] = id
	}
	runs[$1, id]++
	result[$1, id] = $3
	if ($3 != "FAIL")
		passed[$1, id]++
	n = split($5, checks, ";")
	for (i = 1; i <= n; i++)
		if (checks[i] != "" && checks[i] !~ /: see above$/ && !(($1, id, checks[i]) in known)) {
			known[$1, id, checks[i]] = 1
			failed[$1, id] = failed[$1, id] checks[i] ";"
		}
}

# Prints the failed checks of the pool's side, each reason once. Returns whether one has none.
function explain(id, name,	checks, n, i, why, last, unexplained)
{
	n = split(failed["pool", id], checks, ";")
	unexplained = n < 2
	for (i = 1; i < n; i++) {
		why = reason(name, checks[i])
		if (last != "" && why != last)
			print "        " last
		print "    pool:" checks[i]
		unexplained = unexplained || why == ""
		last = why
	}
	if (last != "")
		print "        " last
	return unexplained
}

END {
	printf "%-13s %-50s %-7s %s\n", "group", "case", "kernel", "pool"
	for (c = 1; c <= cases; c++) {
		id = order[c]
		split(id, part, FS)
		printf "%-13s %-50s %-7s %s\n", part[1], part[2], text("kernel", id),
			text("pool", id)
		kernel_ok = passed["kernel", id] == runs["kernel", id]
		n = split(failed["kernel", id], checks, ";")
		for (i = 1; i < n; i++)
			print "    kernel:" checks[i]
		unexplained = passed["pool", id] != runs["pool", id] && explain(id, part[2])
		if (part[2] == "did not finish")
			wrong++
		else if (kernel_ok && passed["pool", id] != runs["pool", id]) {
			different++
			wrong += unexplained
		}
	}
	printf "%d cases, %d differ, %d without a reason\n", cases, different, wrong
	exit wrong > 0
}
