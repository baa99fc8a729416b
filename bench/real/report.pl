# report.pl - words, hashes, patterns, nested data: report.pl COUNT
use strict;
use warnings;

my $state = 12345;
sub draw { $state = ($state * 1103515245 + 12345) % 2147483648; return int($state / 65536) % $_[0] }

my (%seen, @records);
for my $number (1 .. $ARGV[0]) {
    my @words = map { join '', map { chr(97 + draw(20)) } 1 .. 2 + draw(4) } 1 .. 12;
    $seen{$_}++ for @words;
    my $record = { number => $number, words => \@words, line => join(' ', @words) };
    $record->{line} =~ s/([aeiou])([^aeiou ])/$2$1/g;
    push @records, $record;
    splice @records, draw(scalar @records), 1 if @records > 5000;
}
my %index;
for my $record (@records) {
    push @{ $index{ substr($_, 0, 2) } }, $record->{number} for split / /, $record->{line};
}
my $sum = 0;
for my $key (sort keys %index) {
    $sum = ($sum * 31 + unpack('%32C*', "$key=" . join(',', sort { $a <=> $b } @{ $index{$key} }))) % 4294967296;
}
my @common = (sort { $seen{$b} <=> $seen{$a} || $a cmp $b } keys %seen)[0 .. 9];
print "$sum @common\n";
