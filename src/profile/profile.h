// Profile: what every unit and every hand-over costs on the processors of a machine; profile.json in memory
// and on disk (docs/formats.md).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "processors/form.h"

namespace fye {

// A measured time.
struct Timing {
  double ms = 0;          // median; never negative
  double half_width = 0;  // half of the 95 % bootstrap interval
  int n = 0;              // pairs of runs behind it
};

// A unit's time by processor name. Processors that can't run it are absent.
struct UnitTimes {
  std::string unit;
  std::map<std::string, Timing> on;
};

// One tensor from one stored form to another: conversion, transfer and wake-up. Form::host on either side is
// the picture in the caller's memory.
struct HandOver {
  std::string tensor;
  Form from = Form::f32, to = Form::f32;
  Timing time;
};

// What a profile was measured on, and under which conditions; other machine, build or executor: measure
// again.
struct MachineId {
  std::string cpu, isa, build;
  int threads = 0;
  bool operator==(const MachineId&) const = default;
};

struct Profile {
  std::string graph_sha256;
  MachineId machine;
  int width = 0, height = 0;                      // of the picture that goes in
  std::string executor;                           // "bands" or "whole"
  std::map<std::string, std::string> conditions;  // load, clock, temperature, date: as text, for people
  std::vector<std::string> processors;
  std::vector<UnitTimes> units;  // in the order of units_of()
  std::vector<HandOver> hand_overs;
  // All units on one processor, measured whole.
  std::map<std::string, Timing> whole;
  // What the units' times between dummy layers were multiplied by so that with the hand-overs they add up to
  // `whole`: inside a network caches hold other things than between dummies. Near 1, or something is wrong.
  std::map<std::string, double> chain;
  // Mean power in watts while all units run on a processor, by name; empty: not known.
  std::map<std::string, double> watts;
  std::string watts_from;  // "rapl": measured; "file": given by a device file, so energies are simulated
  double fixed_ms =
      0;  // in every plan: what the caller's side of a run takes (colours, for networks on luma)

  const UnitTimes* unit(const std::string& name) const;
};

// Errors name the file, the field and the value: another graph (unless `graph_sha256` is empty), times that
// are negative, not finite or above a day, processors without times, units named twice.
Result<Profile> read_profile(const std::filesystem::path& path, const std::string& graph_sha256);
Status write_profile(const std::filesystem::path& path, const Profile& profile);

}  // namespace fye
