import { Module } from '@nestjs/common';
import { DetectionModule } from '../detection/detection.module.js';
import { MemberListService } from './member-list.service.js';

@Module({ imports: [DetectionModule], providers: [MemberListService], exports: [MemberListService] })
export class RegistryModule {}
