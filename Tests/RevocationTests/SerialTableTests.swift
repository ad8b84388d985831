import Testing

@testable import SallyportRevocation

@Suite struct SerialTableTests {
  private func table(_ serials: [[UInt8]], expecting: Int = 0) -> SerialTable {
    var table = SerialTable(expecting: expecting)
    for serial in serials { serial.withUnsafeBufferPointer { table.insert($0) } }
    return table
  }

  @Test func whatWasPutInIsFoundAndNothingElse() {
    let serials = (0..<5000).map { number in [UInt8(number >> 8) + 1, UInt8(number & 0xFF), 7] }
    let table = self.table(serials + serials)
    #expect(table.count == 5000)
    #expect(serials.allSatisfy(table.contains))
    #expect(!(0..<5000).contains { table.contains([UInt8($0 >> 8) + 1, UInt8($0 & 0xFF), 8]) })
  }

  @Test func aPrefixIsAnotherNumber() {
    let table = self.table([[1, 2, 3]])
    for other: [UInt8] in [[1, 2], [1, 2, 3, 0], [0, 1, 2, 3], [3], []] { #expect(!table.contains(other), "\(other)") }
  }

  @Test func zeroIsANumberToo() {
    #expect(self.table([[]]).contains([]))
    #expect(!self.table([[1]]).contains([]))
  }
}
