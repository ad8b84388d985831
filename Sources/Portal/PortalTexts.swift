/// Every sentence of the pages, in one language. A new language is one more value of this type and its line in ``tables``;
/// the compiler sees to it that none is forgotten.
public struct PortalTexts: Sendable {
  /// As in `<html lang>` (RFC 5646).
  public let language: String

  let signIn, userName, password, signInButton: String
  let certificateOffer, certificateButton, certificateMissing, or: String
  /// In front of a provider's name.
  let continueWith, goingOnTo, goingOnNote: String
  let signedInAs, goOn, otherUser: String
  let signOut, signOutQuestion, signOutButton, signedOut, signedOutNote, signedOutOnward, signInAgain: String
  let whoAmI, name, uid, groups, noGroups, signedInBy, since, until, kubeconfig, kubeconfigNote: String
  let wrong, throttled, unavailable, pageTooOld, cannotSignOut, problem, reference: String
  let providerRefused, providerUnavailable, flowOver: String
  /// By the words of the audit record's `sallyport.dev/authentication`.
  let methods: [String: String]

  public static let tables: [PortalTexts] = [english, german]

  /// The best of the languages that a browser asks for (`Accept-Language`, RFC 9110 section 12.5.4); English for none of them.
  public static func best(for accepted: String?) -> PortalTexts {
    guard let accepted, accepted.utf8.count <= 512 else { return self.english }
    let wishes = accepted.split(separator: ",").compactMap { part -> (language: String, weight: Double)? in
      let pieces = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
      guard let language = pieces.first?.split(separator: "-").first else { return nil }
      let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      return weight > 0 ? (language.lowercased(), weight) : nil
    }
    // The order of the list decides between equal weights.
    let best = wishes.enumerated().sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }
    return best.lazy.compactMap { wish in self.tables.first { $0.language == wish.element.language } }.first ?? self.english
  }

  static let english = PortalTexts(
    language: "en", signIn: "Sign in", userName: "User name", password: "Password", signInButton: "Sign in",
    certificateOffer: "Your browser shows a certificate of",
    certificateButton: "Continue with the certificate",
    certificateMissing: "Your browser showed no client certificate. Install one, close the browser and open it again to choose it.",
    or: "or", continueWith: "Continue with", goingOnTo: "Going on to",
    goingOnNote: "If nothing happens within a moment, go on yourself:", signedInAs: "You are signed in as", goOn: "Continue",
    otherUser: "Or sign in as somebody else:",
    signOut: "Sign out", signOutQuestion: "Sign out of this browser?", signOutButton: "Sign out", signedOut: "You are signed out",
    signedOutNote: "Your session has ended, and what was open with it is closed.",
    signedOutOnward: "Your session here has ended. The session there ends next.", signInAgain: "Sign in again", whoAmI: "Who you are",
    name: "Name", uid: "UID", groups: "Groups", noGroups: "none", signedInBy: "Signed in by", since: "Since", until: "Until",
    kubeconfig: "For kubectl",
    kubeconfigNote:
      "Save this as a file and name it in KUBECONFIG. It holds no password, token or key: kubectl asks for the password, or reads the files that it names.",
    wrong: "The user name or the password is not right.",
    throttled: "Too many attempts to sign in have failed. Try again in a while.",
    unavailable: "You cannot be signed in at the moment. Try again.",
    pageTooOld: "This page was open for too long, or the browser refuses cookies. Try again.",
    cannotSignOut: "You cannot be signed out at the moment. Close the browser, and try again.", problem: "Problem",
    reference: "Reference", providerRefused: "You were not signed in there. Try again, or sign in another way.",
    providerUnavailable: "Signing in there is not possible at the moment. Try again.",
    flowOver: "This sign-in was not begun in this browser, or took too long. Try again.",
    methods: [
      "clientCertificate": "client certificate", "passwordFile": "password", "ldap": "password (directory)", "pam": "password (PAM)",
      "jwt": "token", "introspection": "token", "tokenReview": "token", "oidc": "identity provider", "session": "session",
    ])

  static let german = PortalTexts(
    language: "de", signIn: "Anmelden", userName: "Benutzername", password: "Passwort",
    signInButton: "Anmelden", certificateOffer: "Ihr Browser zeigt ein Zertifikat von",
    certificateButton: "Weiter mit dem Zertifikat",
    certificateMissing:
      "Ihr Browser hat kein Client-Zertifikat gezeigt. Installieren Sie eines und starten Sie den Browser neu, um es auszuwählen.",
    or: "oder", continueWith: "Weiter mit", goingOnTo: "Weiter zu",
    goingOnNote: "Wenn nichts geschieht, gehen Sie bitte selbst weiter:", signedInAs: "Sie sind angemeldet als", goOn: "Weiter",
    otherUser: "Oder als jemand anderes anmelden:",
    signOut: "Abmelden", signOutQuestion: "In diesem Browser abmelden?", signOutButton: "Abmelden", signedOut: "Sie sind abgemeldet",
    signedOutNote: "Ihre Sitzung ist beendet, und was darin offen war, ist geschlossen.",
    signedOutOnward: "Ihre Sitzung hier ist beendet. Als Nächstes endet die Sitzung dort.", signInAgain: "Wieder anmelden",
    whoAmI: "Wer Sie sind", name: "Name", uid: "UID", groups: "Gruppen", noGroups: "keine", signedInBy: "Angemeldet mit", since: "Seit",
    until: "Bis", kubeconfig: "Für kubectl",
    kubeconfigNote:
      "Als Datei speichern und in KUBECONFIG nennen. Darin steht kein Passwort, kein Token und kein Schlüssel: kubectl fragt nach dem Passwort oder liest die genannten Dateien.",
    wrong: "Benutzername oder Passwort stimmt nicht.",
    throttled: "Zu viele Anmeldeversuche sind fehlgeschlagen. Versuchen Sie es später wieder.",
    unavailable: "Die Anmeldung ist im Moment nicht möglich. Versuchen Sie es noch einmal.",
    pageTooOld: "Diese Seite war zu lange offen, oder der Browser nimmt keine Cookies an. Versuchen Sie es noch einmal.",
    cannotSignOut: "Die Abmeldung ist im Moment nicht möglich. Schließen Sie den Browser, und versuchen Sie es noch einmal.",
    problem: "Problem", reference: "Kennung",
    providerRefused: "Sie wurden dort nicht angemeldet. Versuchen Sie es noch einmal, oder melden Sie sich anders an.",
    providerUnavailable: "Die Anmeldung dort ist im Moment nicht möglich. Versuchen Sie es noch einmal.",
    flowOver: "Diese Anmeldung wurde nicht in diesem Browser begonnen oder hat zu lange gedauert. Versuchen Sie es noch einmal.",
    methods: [
      "clientCertificate": "Client-Zertifikat", "passwordFile": "Passwort", "ldap": "Passwort (Verzeichnis)", "pam": "Passwort (PAM)",
      "jwt": "Token", "introspection": "Token", "tokenReview": "Token", "oidc": "Identitätsanbieter", "session": "Sitzung",
    ])
}
