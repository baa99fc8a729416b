#!/bin/sh
# perl.sh - perl: one heap of very many small blocks, grown by realloc.

. "$(dirname "$0")/lib.sh"
tap_need perl
probe perl

prepare() {
    cat > churn.pl <<'END'
use strict; use warnings;
my (%h, @a);
srand(3);
my $x = 12345;
sub number { $x = ($x * 1103515245 + 12345) % 2147483648; return $x }
for my $i (1 .. 200000) {
    my $key = 'k' . number() % 5000;
    $h{$key} .= 'x' x (number() % 40);
    delete $h{'k' . number() % 5000} if $i % 5 == 0;
    push @a, [$i, { n => $i }] if $i % 7 == 0;
    shift @a if @a > 3000;
}
my $text = join ',', map { "$_=" . length $h{$_} } sort keys %h;
$text =~ s/(\d+)=(\d+)/$1 + $2/ge for 1 .. 3;
print length $text, ' ', unpack('%32C*', $text), "\n";
my $s = ''; $s .= 'abc' x $_ for 1 .. 3000;
print length $s, "\n";
for (1 .. 5) { my $pid = fork; if (!$pid) { my @b = (1) x 100000; exit @b % 7 } waitpid $pid, 0; print $? >> 8, "\n" }
warn "a warning\n";
exit 9;
END
}
same "hashes, arrays, strings, fork, a warning, a status" env PERL_HASH_SEED=0 perl churn.pl
same "sorting a million numbers" perl -e 'print join " ", (sort { $a <=> $b } map { $_ * 7919 % 1000003 } 1 .. 300000)[0 .. 9]'
same "die ends as it does" perl -e 'my @x = map { "$_" x 99 } 1 .. 9999; die "the end\n" unless @x == 1'
tap_done
