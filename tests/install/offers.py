#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# offers.py bash|zsh LINE... - what the shell offers when Tab is typed after each LINE, sorted
#
# An interactive shell on a terminal of its own, with the completions of this tree. What is
# typed after Tab ends the listing, so there is nothing to wait for but the shell.
import os
import pty
import select
import sys
import tempfile
import time

shell, lines = sys.argv[1], sys.argv[2:]
found = tempfile.NamedTemporaryFile("r")
SETUP = {
    "bash": """bind 'set completion-query-items 0'; bind 'set completion-display-width 0'
bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'; bind 'set bell-style none'
bind 'set enable-bracketed-paste off'; bind 'set horizontal-scroll-mode off'
for f in config/completions/*.bash; do . $f; done; stty cols 500
""",
    "zsh": """fpath=(config/completions $fpath); autoload -Uz compinit; compinit -u -D
unsetopt beep prompt_sp prompt_cr; LISTMAX=10000
compadd() { local -a hits; [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]] || { builtin compadd "$@"; return }; builtin compadd -A hits "$@"; print -rl -- $hits >>$FOUND; builtin compadd "$@" }
""",
}
ARGV = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
os.environ.update(
    PS1="$ ", TERM="dumb", FOUND=found.name, INPUTRC="/dev/null", HOME=tempfile.gettempdir(),
    HISTFILE="/dev/null", LC_ALL="C",
)
pid, fd = pty.fork()
if pid == 0:
    os.execvp(ARGV[shell][0], ARGV[shell])


def type_until(text, mark):
    """Type, and return what the terminal shows up to mark."""
    shown = b""
    end = time.monotonic() + 60
    os.write(fd, text.encode())
    while mark.encode() not in shown:
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"no {mark} in: {shown.decode(errors='replace')}")
        shown += os.read(fd, 65536)
    return shown.decode(errors="replace")


# With the prompt, the terminal is the line editor's: Tab and ^U would be the kernel's before.
type_until(SETUP[shell] + "echo R''EADY\r", "READY\r\n$ ")


def offered(line):
    """Type Tab after line: a set of words."""
    shown = type_until(line + "\t\x15echo D''ONE\r", "DONE\r\n$ ")
    if shell == "zsh":
        words = found.read().split()
    else:
        parts = [each.strip() for each in shown.replace("\r", "\n").replace("\a", "").split("\n")]
        words = [each for each in parts if each and not each.startswith("$ ")]
        words = [each for each in words if each not in ("$", "DONE", line.strip())]
        if len(words) == 1:  # a single one is in the line now
            words = words[0].split()
            words = words[-1:] if len(words) > len(line.split()) - (line[-1] != " ") else []
    if line[-1] == " ":  # bash offers options, too, to an empty word
        words = [each for each in words if each[0] != "-"]
    return set(words)


for each in lines:
    print(" ".join(sorted(offered(each))))
os.close(fd)
