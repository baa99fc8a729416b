/* late_free_cxx.cc - thread_local objects of C++ are destroyed at the end of their thread, and
 *      allocate while they are. */
#include "../trap/tap.h"

#include <map>
#include <string>
#include <thread>
#include <vector>

static int destroyed, bad;

struct worker {
    std::vector<std::string> names;
    std::map<int, std::string> table;
    worker()
    {
        for (int i = 0; i < 100; i++) {
            names.push_back(std::string(static_cast<size_t>(i), 'n'));
            table[i] = names.back() + "t";
        }
    }
    ~worker()
    {
        for (int i = 0; i < 100; i++)
            if (names[static_cast<size_t>(i)].size() + 1 != table[i].size())
                __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
        std::vector<std::string> more(50, std::string(1000, 'm'));
        names.swap(more);
        __atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
    }
};

static thread_local worker first;

struct later {
    std::string text = std::string(500, 'x');
    ~later() { text += first.names[0]; }
};

static thread_local later second;

static void run()
{
    second.text += first.names[3];
}

int main()
{
    for (int i = 0; i < 50; i++) {
        std::thread a(run), b(run), c(run);

        a.join();
        b.join();
        c.join();
    }
    check(destroyed == 150, "each thread destroyed its own");
    check(bad == 0, "and found it whole");
    return done();
}
