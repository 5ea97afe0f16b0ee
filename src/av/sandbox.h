// Sandbox: what fye-av takes away from itself before it reads a byte of a film.
#pragma once

#include <string>
#include <vector>

namespace fye::av {

// No file can be opened but the kernel's list of processor cores (Landlock and seccomp), no network, no other
// program, no more privileges; it dies with fye. What is open stays open. Only once, before any thread
// exists. Returns a sentence for each part that the kernel doesn't have. A build with a sanitizer, whose
// reports need files, locks nothing and says nothing.
std::vector<std::string> lock_in();

}  // namespace fye::av
