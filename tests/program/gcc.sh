#!/bin/sh
# gcc.sh - compilers: the object code must be the same to the bit.

. "$(dirname "$0")/lib.sh"
tap_need gcc g++ ar objdump
probe gcc "$(gcc -print-prog-name=cc1)" "$(gcc -print-prog-name=as)" "$(gcc -print-prog-name=ld)"

prepare() {
    awk 'BEGIN {
        print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>"
        for (i = 0; i < 600; i++) {
            printf "struct s%d { int a[%d]; char *b; double c; };\n", i, i % 17 + 1
            printf "static int f%d(struct s%d *s, int n)\n{\n    int t = %d;\n", i, i, i
            printf "    for (int i = 0; i < n; i++) { s->a[i %% %d] += t * i; t ^= s->a[0]; }\n", i % 17 + 1
            printf "    switch (t & 7) { case 0: t += 3; break; case 1: t *= 5; break; case 2: s->c += t; }\n"
            printf "    return t%s;\n}\n", i ? " + f" i - 1 "((struct s" i - 1 " *)s, n / 2)" : ""
        }
        print "int main(void) { struct s16 s; memset(&s, 1, sizeof s); printf(\"%d\\n\", f16(&s, 9)); return 5; }"
    }' > big.c
    cat > big.cc <<'END'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>
template <int N> struct tower { tower<N - 1> below; std::map<int, std::string> names; };
template <> struct tower<0> { int floor = 1; };
int main()
{
    auto t = std::make_unique<tower<100>>();
    t->below.names[3] = "three";
    std::unordered_map<std::string, std::vector<std::function<int(int)>>> m;
    m["a"].push_back([](int x) { return x + 1; });
    std::vector<int> v(1000);
    std::generate(v.begin(), v.end(), [n = 0]() mutable { return n++ * 7919 % 1000; });
    std::sort(v.begin(), v.end());
    std::cout << t->below.names[3] << m["a"][0](41) << v[500] << std::endl;
}
END
}
same "gcc -O2 of a big file, and what it makes runs" sh -c 'gcc -w -O2 -g big.c -o big; ./big'
same "gcc -O0 -flto, ar, objdump" sh -c 'gcc -w -O0 -c big.c -o big.o && ar rcD lib.a big.o && objdump -d big.o | cksum'
same "g++ -O2 with templates and the standard library" sh -c 'g++ -O2 big.cc -o big && ./big'
same "the preprocessor alone" g++ -E big.cc
same "errors are the same errors" gcc -c -Wall -x c big.cc
if command -v clang >/dev/null 2>&1; then
    same "clang -O2" sh -c 'clang -w -O2 -c big.c -o big.o'
fi
tap_done
