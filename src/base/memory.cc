#include "base/memory.h"

#include <malloc.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace fye {

int64_t resident_bytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");  // pages: total, resident, ... (proc(5))
  int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t free_bytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string name, rest; file >> name;) {
    int64_t kilobytes = 0;
    if (name == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
    std::getline(file, rest);
  }
  struct sysinfo info;
  if (sysinfo(&info) != 0) return int64_t{1} << 30;
  return int64_t(info.freeram + info.bufferram) * info.mem_unit;
}

}  // namespace fye
