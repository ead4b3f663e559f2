package report

import "github.com/monev112/monev112/collector/casefile"

// FlagWords returns what each flag of a case means, as an official would say it, for every screen that lists flags.
func FlagWords() map[string]string {
	return map[string]string{
		casefile.FlagFieldBlanked:                "isian dikosongkan karena memuat nomor, alamat atau teks bebas",
		casefile.FlagCaseFull:                    "kejadian melebihi batas satu kasus",
		casefile.FlagAnsweredBeforeReceived:      "dijawab sebelum masuk",
		casefile.FlagQueuedBeforeReceived:        "mengantre sebelum masuk",
		casefile.FlagAnsweredBeforeQueued:        "dijawab sebelum mengantre",
		casefile.FlagEndedBeforeAnswered:         "berakhir sebelum dijawab",
		casefile.FlagAnsweredAndAbandoned:        "dijawab dan ditutup penelepon sebelum dijawab",
		casefile.FlagClassWithoutAnswer:          "diklasifikasi tanpa catatan dijawab",
		casefile.FlagReferenceIgnored:            "koreksi menunjuk kejadian yang tidak dapat diganti",
		casefile.FlagNotOpened:                   "tiket tanpa catatan dibuka",
		casefile.FlagOpenedBeforeReceived:        "tiket dibuka sebelum panggilan masuk",
		casefile.FlagClosedBeforeOpened:          "ditutup sebelum dibuka",
		casefile.FlagResolvedBeforeOpened:        "selesai sebelum dibuka",
		casefile.FlagAssignedBeforeOpened:        "disposisi sebelum dibuka",
		casefile.FlagAcknowledgedWithoutAssigned: "diterima tanpa disposisi",
		casefile.FlagArrivedBeforeDeparted:       "tiba sebelum berangkat",
		casefile.FlagReopenedWithoutResolution:   "dibuka lagi tanpa pernah selesai",
		casefile.FlagResumedWithoutPause:         "dilanjutkan tanpa ditunda",
		casefile.FlagArrivedBeforeReceived:       "tiba sebelum panggilan masuk",
		casefile.FlagPauseAndResumeAtOnce:        "ditunda dan dilanjutkan pada saat yang sama",
		casefile.FlagMasterUnknown:               "digabung ke tiket yang tidak dikenal",
		casefile.FlagMergedInCycle:               "digabung melingkar",
		casefile.FlagMasterClosed:                "digabung ke tiket yang sudah ditutup",
		casefile.FlagMasterYounger:               "digabung ke tiket yang lebih baru",
		casefile.FlagMergedAfterStop:             "digabung setelah selesai",
		casefile.FlagPriorityFromMember:          "prioritas dari tiket yang digabung",
		casefile.FlagCorrectedAfterLate:          "waktunya dikoreksi setelah terlambat",
		casefile.FlagPriorityFromCategory:        "prioritas dari kategori",
		casefile.FlagPriorityAssumed:             "prioritas dianggap mendesak",
		casefile.FlagTest:                        "tiket dari panggilan uji",
		casefile.FlagEventWithdrawn:              "kejadian ditarik kembali",
		casefile.FlagOpeningWithdrawn:            "pembukaan tiket ditarik kembali",
	}
}
