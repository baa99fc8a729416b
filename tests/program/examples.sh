#!/bin/sh
# examples.sh - the examples of tools/examples compile without a warning, and do what they say.

. "$(dirname "$0")/tap.sh"
tap_need make perl
test "$MIDDEN_LIBRARY" = none && tap_skip_all "the examples need the library"

examples=$(cd "$(dirname "$0")/../../tools/examples" && pwd)
build=$(cd "$(dirname "$MIDDEN_LIBRARY")/.." && pwd)
cd "$scratch" || tap_bail "no scratch directory"

# In a make that runs tests, make's own variables would be taken for ours.
unset MAKEFLAGS MFLAGS MAKELEVEL
make -f "$examples/Makefile" MIDDEN_BUILD="$build" CFLAGS='-O2 -g -Werror' > log 2>&1
examples_built=$?
tap_check "$examples_built" "they compile without a warning, against a tree that is not installed"
test "$examples_built" -eq 0 || tap_diagnose log

# Within one collection finalizers run in no order that was promised: neighbours are sorted.
in_order() {
    awk '/^gone: / { gone[n++] = $0; next }
         { flush(); print }
         END { flush() }
         function flush(   i, k, t) {
             for (i = 1; i < n; i++)
                 for (k = i; k > 0 && gone[k] < gone[k - 1]; k--) { t = gone[k]; gone[k] = gone[k - 1]; gone[k - 1] = t }
             for (i = 0; i < n; i++) print gone[i]
             n = 0
         }'
}

# expects FILE TEXT WORDS...: what they print, stdin as it is, is FILE, and they exit 0 and complain of nothing
expects() {
    expects_file=$1 expects_text=$2
    shift 2
    timeout -k 5 60 "$@" > raw 2> complaint
    expects_status=$?
    in_order < raw > out
    diff -U1 "$expects_file" out > difference && test "$expects_status" -eq 0 && test ! -s complaint
    tap_check $? "$expects_text"
    test "$expects_status" -eq 0 || echo "#   status $expects_status"
    tap_diagnose difference
    tap_diagnose complaint
}

expects "$examples/graph.expected" "graph: lines, circles and mistakes" ./graph < "$examples/graph.script"
expects "$examples/cache.expected" "cache: one value for all who use it, none for nobody" ./cache < /dev/null
expects "$examples/tour.expected" "lisp: the tour, a loop of a million rounds in it" ./lisp "$examples/tour.lisp" < /dev/null

(ulimit -s 512 && exec timeout -k 5 60 ./lisp > out 2> complaint) <<'END_OF_LISP'
(define (loop n) (if (= n 0) 'done (loop (- n 1))))
(loop 1000000)
END_OF_LISP
printf 'loop\ndone\n' | cmp -s - out && test ! -s complaint
tap_check $? "lisp: tail calls need no stack"

timeout -k 5 60 ./lisp > out 2> complaint <<'END_OF_LISP'
(car 1)
(define (deep n) (+ 1 (deep n)))
(deep 0)
(this
END_OF_LISP
printf 'deep\n' | cmp -s - out
tap_check $? "lisp: it goes on after an error"
printf 'error: %s\n' 'a pair is wanted, not a number' 'more than 10000 calls are open' 'the text ends inside a list' |
    cmp -s - complaint
tap_check $? "lisp: and tells which"

# ---- the server -----------------------------------------------------------------------------------------------------

cat > talk.pl <<'END_OF_PERL'
use strict;
use IO::Socket::UNIX;
$| = 1;
my $to;
for (1 .. 200) {
    $to = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $ARGV[0]) and last;
    select undef, undef, undef, 0.05;
}
$to or die "nobody listens\n";
sub ask { print $to "$_[0]\n"; my $answer = <$to>; $answer //= "nothing\n"; chomp $answer; $answer }
sub point { print $_[0] ? "ok - $_[1]\n" : "not ok - $_[1]\n" }

my $good = 1;
$good &&= ask("SET key$_ " . "value $_ " x 20) eq "stored" for 1 .. 3000;
point($good, "3000 values are stored");
point(ask("COUNT") eq "3000", "and counted");
$good = 1;
$good &&= ask("DROP key$_") eq "dropped" for 1 .. 2900;
point($good && ask("DROP key1") eq "none", "2900 are dropped, once");
my ($collections, $collected) = (0, 0);
for (1 .. 200) {
    select undef, undef, undef, 0.1;
    ($collections, $collected) = ask("STATS") =~ /collections=(\d+) collected=(\d+)/;
    last if $collected >= 5000;
}
point($collections >= 1, "it collects when it has nothing to do");
point($collected >= 5000, "and finds what was dropped ($collected objects)");
$good = 1;
$good &&= ask("GET key$_") eq "value $_ " x 20 for 2901 .. 3000;
point($good, "what was not dropped is still there");
point(ask("GET key7") eq "none", "what was, is not");
point(ask("PAINT") eq "what?", "an unknown request is told");
point(ask("SHUTDOWN") eq "bye", "it ends when asked to");
END_OF_PERL

timeout -k 5 120 ./server "$scratch/socket" > out 2> complaint &
server=$!
timeout -k 5 90 perl talk.pl "$scratch/socket" > points 2> trouble
talked=$?
while IFS= read -r line; do
    case $line in
    'ok - '*) tap_ok "server: ${line#ok - }" ;;
    *) tap_not_ok "server: ${line#not ok - }" ;;
    esac
done < points
tap_check "$talked" "server: the talk comes to its end"
tap_diagnose trouble
test "$talked" -eq 0 || kill "$server"
wait "$server"
tap_check $? "server: and so does the server"
test ! -s complaint
tap_check $? "server: it says nothing on stderr"
tap_diagnose complaint
tap_done
