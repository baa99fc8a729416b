#!/bin/sh
# java.sh - the Java virtual machine: dlopen, many threads, a guard page on each stack, native memory from malloc.

. "$(dirname "$0")/lib.sh"
tap_need java
probe java

# Warnings of the machine about its surroundings name processes and times.
normalise() { sed -e 's/@[0-9a-f]\{4,\}/@N/g'; }

prepare() {
    cat > Churn.java <<'END'
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;

public class Churn {
    static long deflate(int seed) throws Exception {
        byte[] in = new byte[200000], out = new byte[300000];
        new Random(seed).nextBytes(in);
        for (int i = 0; i < in.length; i++) in[i] &= 15;
        Deflater d = new Deflater();
        d.setInput(in);
        d.finish();
        int n = d.deflate(out);
        d.end();
        ByteBuffer direct = ByteBuffer.allocateDirect(n);
        direct.put(out, 0, n).flip();
        CRC32 crc = new CRC32();
        crc.update(direct);
        return crc.getValue();
    }
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Long>> all = new ArrayList<>();
        for (int i = 0; i < 64; i++) { int n = i; all.add(pool.submit(() -> deflate(n))); }
        long sum = 0;
        for (Future<Long> f : all) sum += f.get();
        pool.shutdown();
        Map<String, Integer> m = new TreeMap<>();
        for (int i = 0; i < 200000; i++) m.merge("k" + i % 3000, i, Integer::sum);
        System.out.println(sum + " " + m.size() + " " + m.get("k7"));
        System.exit(6);
    }
}
END
}
same "java -version" java -version
if command -v javac >/dev/null 2>&1; then
    same_output "a program from source: threads, deflate, direct buffers" java -Xmx256m Churn.java
    same "javac, then the class" sh -c 'javac Churn.java && java -Xmx256m -XX:+UseSerialGC Churn'
else
    tap_skip "a program from source" "no javac"
fi
tap_done
