import Foundation
import SallyportMetrics

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What the kernel says about the process, under the names that all Prometheus clients use.
///
/// See https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics and proc(5)
enum ProcessMetrics {
  static func families() -> [MetricFamily] {
    var families: [MetricFamily] = []
    func add(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double?) {
      if let value { families.append(MetricFamily(name, kind, help: help, value: value)) }
    }
    let status = ProcessStatus()
    add("process_cpu_seconds_total", .counter, "User and system time of the process, in seconds.", status?.cpuSeconds)
    add("process_resident_memory_bytes", .gauge, "Memory in use.", status?.residentBytes)
    add("process_virtual_memory_bytes", .gauge, "Address space in use.", status?.virtualBytes)
    add("process_start_time_seconds", .gauge, "When the process was started, as seconds of the Unix epoch.", status?.startTime)
    let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count).map { Double($0 - 1) }
    add("process_open_fds", .gauge, "Open files and connections.", descriptors)
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      add("process_max_fds", .gauge, "How many files and connections may be open.", Double(limit.rlim_cur))
    }
    return families
  }
}

/// The fields of /proc/self/stat that are of use.
private struct ProcessStatus {
  let cpuSeconds: Double
  let residentBytes: Double
  let virtualBytes: Double
  let startTime: Double?

  init?() {
    guard let text = Self.read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
    // Behind the program's name, which may hold anything, the third field comes first.
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]), let start = Double(fields[19]),
      let virtual = Double(fields[20]), let pages = Double(fields[21])
    else { return nil }
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    self.cpuSeconds = (user + system) / ticks
    self.virtualBytes = virtual
    self.residentBytes = pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    let boot = Self.read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
    self.startTime = boot.flatMap { Double($0.dropFirst(6)) }.map { $0 + start / ticks }
  }

  private static func read(_ path: String) -> String? {
    // A file of /proc has no size, so that it is read to its end.
    (try? Data(contentsOf: URL(fileURLWithPath: path))).map { String(decoding: $0, as: UTF8.self) }
  }
}
